import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { metrics } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import * as tfl from '@tensorflow/tfjs-layers'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { selectBackend } from '../../../src/backends/index.js'
import { Dataset } from '../../../src/data/index.js'
import { type Callback, type FitOptions, mlflow, openTelemetry, Trainer } from '../../../src/training/index.js'
import { csvLog, jsonlLog, tensorBoard } from '../../../src/training/node.js'

let folder: string
beforeAll(async () => {
  await selectBackend()
  folder = await mkdtemp(join(tmpdir(), 'dcml-trackers-'))
})
afterAll(() => rm(folder, { recursive: true }))

const data = Dataset.fromArrays({
  x: { data: Float32Array.from({ length: 64 }, (_, i) => Math.sin(i)), shape: [32, 2] },
  y: { data: Float32Array.from({ length: 32 }, (_, i) => i / 32), shape: [32, 1] },
})

/** Three epochs of four updates. */
async function train(callback: Callback, options: FitOptions = {}) {
  const model = tfl.sequential({ layers: [tfl.layers.dense({ units: 1, inputShape: [2] })] })
  const trainer = new Trainer({ model, loss: 'meanSquaredError', metrics: ['mae'], callbacks: [callback] })
  return trainer.fit(data, { epochs: 3, batchSize: 8, validation: data, ...options })
}

/** CRC-32C bit by bit, as its definition says. */
function checksum(bytes: Uint8Array): number {
  let crc = 0xffffffffn
  for (const byte of bytes) {
    crc ^= BigInt(byte)
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ 0x82f63b78n : crc >> 1n
  }
  crc ^= 0xffffffffn
  const rotated = ((crc >> 15n) | (crc << 17n)) & 0xffffffffn
  return Number((rotated + 0xa282ead8n) & 0xffffffffn)
}

type Message = Map<number, (number | Uint8Array)[]>

/** The fields of a protocol buffer, by number, as far as events use them. */
function parse(bytes: Uint8Array): Message {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const fields: Message = new Map()
  let at = 0
  const varint = () => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return Number(value)
    }
  }
  const skip = (length: number) => {
    at += length
    return at - length
  }
  while (at < bytes.length) {
    const key = varint()
    let value: number | Uint8Array
    if ((key & 7) === 0) value = varint()
    else if ((key & 7) === 1) value = view.getFloat64(skip(8), true)
    else if ((key & 7) === 5) value = view.getFloat32(skip(4), true)
    else {
      const length = varint()
      value = bytes.subarray(skip(length), at)
    }
    fields.set(key >> 3, [...(fields.get(key >> 3) ?? []), value])
  }
  return fields
}

/** The events of a file, every checksum checked. */
function readEvents(bytes: Uint8Array): Message[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const events: Message[] = []
  for (let at = 0; at < bytes.length; ) {
    const length = Number(view.getBigUint64(at, true))
    expect(view.getUint32(at + 8, true)).toBe(checksum(bytes.subarray(at, at + 8)))
    const event = bytes.subarray(at + 12, at + 12 + length)
    expect(view.getUint32(at + 12 + length, true)).toBe(checksum(event))
    events.push(parse(event))
    at += 16 + length
  }
  return events
}

const text = (bytes: unknown) => new TextDecoder().decode(bytes as Uint8Array)

describe('tensorBoard', () => {
  it('writes an event file that a reader of its own finds whole', async () => {
    const run = join(folder, 'run')
    const history = await train(tensorBoard(run, { everySteps: 2 }))
    const [name] = await readdir(run)
    expect(name).toMatch(/^events\.out\.tfevents\.\d{10}\./)
    const bytes = new Uint8Array(await readFile(join(run, name!)))
    // As every event file of TensorFlow begins: 24 bytes follow, and the checksum of that.
    expect([...bytes.subarray(0, 12)]).toEqual([0x18, 0, 0, 0, 0, 0, 0, 0, 0xa3, 0x7f, 0x4b, 0x22])
    const [first, ...events] = readEvents(bytes)
    expect(text(first!.get(3)![0])).toBe('brain.Event:2')
    const scalars = events.flatMap((event) =>
      parse(event.get(5)![0] as Uint8Array)
        .get(1)!
        .map((entry) => {
          const value = parse(entry as Uint8Array)
          return [event.get(2)![0], text(value.get(1)![0]), value.get(2)![0]] as [number, string, number]
        }),
    )
    for (const event of events) expect(Math.abs((event.get(1)![0] as number) - Date.now() / 1000)).toBeLessThan(60)
    for (const [epoch, record] of history.epochs.entries())
      for (const tag of ['loss', 'mae', 'val_loss', 'val_mae'])
        expect(scalars).toContainEqual([4 * (epoch + 1), tag, Math.fround(record[tag]!)])
    const steps = scalars.filter(([, tag]) => tag === 'step/loss').map(([step]) => step)
    expect(steps).toEqual([2, 4, 6, 8, 10, 12])
  })
})

describe('csvLog and jsonlLog', () => {
  it('keep the history', async () => {
    const [csv, jsonl] = [join(folder, 'a', 'history.csv'), join(folder, 'b', 'history.jsonl')]
    const history = await train(csvLog(csv))
    const [head, ...rows] = (await readFile(csv, 'utf8')).trim().split('\n')
    const names = head!.split(',')
    expect(names.slice(0, 2)).toEqual(['epoch', 'step'])
    for (const [i, row] of rows.entries()) {
      const values = Object.fromEntries(row.split(',').map((cell, column) => [names[column]!, Number(cell)]))
      expect(values).toEqual({ ...history.epochs[i]!, step: 4 * (i + 1) })
    }
    await train(csvLog(csv), { epochs: 1 })
    expect((await readFile(csv, 'utf8')).trim().split('\n')).toHaveLength(1 + 3 + 1)
    const other = await train(jsonlLog(jsonl, { everySteps: 4 }))
    const lines = (await readFile(jsonl, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines.map(({ kind, step }) => `${kind} ${step}`)).toEqual(
      [4, 8, 12].flatMap((step) => [`step ${step}`, `epoch ${step}`]),
    )
    expect(lines[5]).toEqual({ kind: 'epoch', step: 12, ...other.epochs[2]! })
  })

  it('refuse a file of other columns, and a count that is none', async () => {
    const path = join(folder, 'other.csv')
    await writeFile(path, 'epoch,step,perplexity\n0,1,2\n')
    await expect(train(csvLog(path))).rejects.toThrow(/not the columns of.*perplexity/)
    expect(() => jsonlLog(path, { everySteps: 0 })).toThrow(/everySteps of jsonlLog/)
  })
})

describe('mlflow', () => {
  let server: Server
  let url: string
  const calls: { method: string; body: Record<string, unknown>; authorization: string | undefined }[] = []
  let known = false
  let failing = ''

  beforeAll(async () => {
    const answers: Record<string, () => object> = {
      'experiments/search': () => (known ? { experiments: [{ experiment_id: '7' }] } : {}),
      'experiments/create': () => ({ experiment_id: '7' }),
      'runs/create': () => ({ run: { info: { run_id: 'abc' } } }),
    }
    server = createServer(async (request, response) => {
      const method = request.url!.replace('/api/2.0/mlflow/', '')
      let body = ''
      for await (const chunk of request) body += chunk
      calls.push({ method, body: JSON.parse(body), authorization: request.headers.authorization })
      response.statusCode = method === failing ? 500 : 200
      response.end(JSON.stringify(answers[method]?.() ?? {}))
    }).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  })
  afterAll(() => new Promise((resolve) => server.close(resolve)))

  it('makes experiment and run, logs parameters and epochs, and ends the run', async () => {
    const params = { rate: 0.1, kind: 'plain' }
    const history = await train(mlflow({ url, experiment: "it's", run: 'first', params, token: 'secret' }))
    expect(calls.map(({ method }) => method)).toEqual([
      'experiments/search',
      'experiments/create',
      'runs/create',
      'runs/log-batch',
      ...new Array(3).fill('runs/log-batch'),
      'runs/update',
    ])
    expect(calls[0]!.body.filter).toBe("name = 'it\\'s'")
    expect(calls[2]!.body).toMatchObject({ experiment_id: '7', run_name: 'first' })
    expect(calls[3]!.body.params).toEqual([
      { key: 'rate', value: '0.1' },
      { key: 'kind', value: 'plain' },
    ])
    expect(calls[5]!.body.metrics).toContainEqual({
      key: 'val_loss',
      value: history.epochs[1]!.val_loss,
      step: 8,
      timestamp: expect.any(Number),
    })
    expect(calls[7]!.body).toMatchObject({ run_id: 'abc', status: 'FINISHED' })
    for (const { authorization } of calls) expect(authorization).toBe('Bearer secret')
  })

  it('uses an experiment that is there, and tells of a stop and of a failure', async () => {
    known = true
    calls.length = 0
    const controller = new AbortController()
    controller.abort()
    await train(mlflow({ url }), { signal: controller.signal })
    expect(calls.map(({ method }) => method)).not.toContain('experiments/create')
    expect(calls.at(-1)!.body.status).toBe('KILLED')
    const broken: Callback = {
      ...mlflow({ url }),
      onEpochEnd() {
        throw new RangeError('broken')
      },
    }
    await expect(train(broken)).rejects.toThrow('broken')
    expect(calls.at(-1)!.body.status).toBe('FAILED')
  })

  it('lets the training go on with one warning when the server fails, or ends it when asked to', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    failing = 'runs/log-batch'
    expect((await train(mlflow({ url }))).epochs).toHaveLength(3)
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/refused runs\/log-batch with status 500/)]])
    warn.mockClear()
    expect((await train(mlflow({ url: 'http://127.0.0.1:1' }))).epochs).toHaveLength(3)
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/127\.0\.0\.1:1 cannot be reached.*mlflow server/)]])
    warn.mockRestore()
    await expect(train(mlflow({ url, onError: 'throw' }))).rejects.toThrow(/status 500/)
    expect(() => mlflow({ url: 'localhost' })).toThrow(/address of the MLflow server/)
  })
})

describe('openTelemetry', () => {
  it.each(['the meter given', 'the global provider'])('records every value with %s', async (whose) => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 1e8 })
    const provider = new MeterProvider({ readers: [reader] })
    if (whose === 'the global provider') metrics.setGlobalMeterProvider(provider)
    const meter = whose === 'the global provider' ? {} : { meter: provider.getMeter('mine') }
    const history = await train(openTelemetry({ ...meter, attributes: { run: 'first' }, everySteps: 4 }))
    await provider.forceFlush()
    const { scope, metrics: found } = exporter.getMetrics()[0]!.scopeMetrics[0]!
    expect(scope.name).toBe(whose === 'the global provider' ? 'dcml' : 'mine')
    const points = (name: string) => found.find(({ descriptor }) => descriptor.name === name)!.dataPoints
    for (const name of ['loss', 'mae', 'val_loss', 'val_mae'])
      expect(points(`dcml.training.${name}`)).toMatchObject([
        { attributes: { run: 'first' }, value: history.epochs.at(-1)![name] },
      ])
    expect(points('dcml.training.step.loss')).toHaveLength(1)
    await provider.shutdown()
  })
})
