import * as tfl from '@tensorflow/tfjs-layers'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { selectBackend } from '../../../src/backends/index.js'
import { ConfigError, TransportError } from '../../../src/core/index.js'
import { Dataset, datasets } from '../../../src/data/index.js'
import { ElasticLeader } from '../../../src/distributed/elastic-leader.js'
import { ElasticMember } from '../../../src/distributed/elastic-member.js'
import { resolveElastic } from '../../../src/distributed/elastic-options.js'
import { DataParallel, type ElasticOptions } from '../../../src/distributed/index.js'
import { adam } from '../../../src/optimizers/index.js'
import { type Callback, type History, Trainer } from '../../../src/training/index.js'
import { memoryTransports, type ProcessTransportFactory, type Transport } from '../../../src/transport/index.js'
import { MemoryNetwork } from './memory-network.js'

beforeAll(async () => {
  await selectBackend()
})

function digits(count: number): Dataset {
  const columns = datasets.syntheticDigits({ count, seed: 3 }).resident!.columns
  const x = Float32Array.from(columns.x!.data as Uint8Array, (pixel) => pixel / 255)
  return Dataset.fromArrays({ x: { data: x, shape: [count, 784] }, y: columns.y! })
}

function classifier(): tfl.LayersModel {
  const kernelInitializer = tfl.initializers.glorotUniform({ seed: 7 })
  return tfl.sequential({
    layers: [
      tfl.layers.dense({ units: 16, activation: 'relu', inputShape: [784], kernelInitializer, name: 'hidden' }),
      tfl.layers.dropout({ rate: 0.2, name: 'dropout' }),
      tfl.layers.dense({ units: 10, activation: 'softmax', kernelInitializer, name: 'output' }),
    ],
    name: 'classifier',
  })
}

const weightsOf = (model: tfl.LayersModel) => model.getWeights().map((weight) => Array.from(weight.dataSync()))

/** A training in which rank 0 tells the test of every step. */
class Training {
  readonly network = new MemoryNetwork()
  readonly processes = new Map<number, ReturnType<typeof this.start>>()
  /** Losses by step, as seen last. */
  readonly losses: number[] = []

  constructor(
    readonly worldSize: number,
    readonly elastic: ElasticOptions,
    readonly onStep: (step: number, training: Training) => unknown = () => {},
  ) {
    for (let rank = 0; rank < worldSize; rank++) this.processes.set(rank, this.start(rank))
  }

  start(rank: number) {
    const { factory, entered, kill } = this.network.process(rank, this.worldSize)
    const model = classifier()
    const callback: Callback = {
      onStepEnd: async ({ step, loss }) => {
        this.losses[step] = loss
        await this.onStep(step, this)
      },
    }
    const trainer = new Trainer({
      model,
      loss: 'sparseCategoricalCrossentropy',
      optimizer: adam({ learningRate: 1e-3 }),
      strategy: new DataParallel({ transport: factory, elastic: { waitMs: 2000, ...this.elastic } }),
      deterministic: { logicalShards: 4 },
      callbacks: [callback],
    })
    const ended = trainer
      .fit(digits(96), { epochs: 4, batchSize: 16, validation: digits(20) })
      .finally(() => trainer.close())
    ended.catch(() => {})
    return { model, ended, entered, kill }
  }

  /** Resolves when the process is in the lobby. */
  restart(rank: number): Promise<void> {
    const process = this.start(rank)
    this.processes.set(rank, process)
    return process.entered
  }

  readonly kill = (rank: number): void => this.processes.get(rank)!.kill()

  history(rank = 0): Promise<History> {
    return this.processes.get(rank)!.ended
  }
}

/** What does not depend on time and, to the bit, on the number of processes. */
const curve = ({ epochs }: History) => epochs.map(({ epoch, loss }) => ({ epoch, loss }))

describe('an elastic training', () => {
  let undisturbed: { training: Training; history: History }
  beforeAll(async () => {
    const training = new Training(3, { min: 1 })
    undisturbed = { training, history: await training.history() }
  })

  it('is like any other while nobody is lost', async () => {
    const { training, history } = undisturbed
    expect(history.groups).toEqual([{ fromStep: 1, workers: 3 }])
    for (const rank of [1, 2]) {
      expect(await training.history(rank)).toEqual(history)
      expect(weightsOf(training.processes.get(rank)!.model)).toEqual(weightsOf(training.processes.get(0)!.model))
    }
  })

  it('goes back to the last commit when one is lost, and ends as if it had not been', async () => {
    let isKilled = false
    const training = new Training(3, { min: 1, commitEverySteps: 5 }, (step) => {
      if (step === 13 && !isKilled) training.kill(1)
      isKilled ||= step === 13
    })
    const history = await training.history()
    expect(history.groups).toEqual([
      { fromStep: 1, workers: 3 },
      { fromStep: 13, workers: 2 },
    ])
    expect(curve(history)).toEqual(curve(undisturbed.history))
    expect(training.losses).toEqual(undisturbed.training.losses)
    expect(weightsOf(training.processes.get(2)!.model)).toEqual(weightsOf(undisturbed.training.processes.get(0)!.model))
  })

  it('takes back who returns, at the next commit', async () => {
    const events = new Map([
      [3, (training: Training) => training.kill(2)],
      [6, (training: Training) => training.restart(2)],
    ])
    const training = new Training(3, { min: 1, commitEverySteps: 4 }, async (step, training) => {
      const event = events.get(step)
      events.delete(step)
      await event?.(training)
    })
    const history = await training.history()
    expect(history.groups!.map(({ workers }) => workers)).toEqual([3, 2, 3])
    expect(curve(history)).toEqual(curve(undisturbed.history))
    expect(curve(await training.history(2))).toEqual(curve(undisturbed.history))
  })

  it('goes on alone where min allows it', async () => {
    const training = new Training(2, { min: 1, commitEverySteps: 3 }, (step, { kill }) => step === 7 && kill(1))
    const history = await training.history()
    expect(history.groups!.at(-1)).toEqual({ fromStep: 7, workers: 1 })
    expect(curve(history)).toEqual(curve(undisturbed.history))
  })

  it('ends when too few are left', async () => {
    const training = new Training(2, { min: 2, waitMs: 100 }, (step, { kill }) => step === 7 && kill(1))
    await expect(training.history()).rejects.toMatchObject({
      code: 'DCML_WORKER',
      message: expect.stringContaining('Expected 2 or more; received 1 after 100 ms'),
    })
  })

  it('ends for all when rank 0 is lost', async () => {
    const training = new Training(3, { min: 1 }, (step, { kill }) => step === 7 && kill(0))
    for (const rank of [1, 2])
      await expect(training.history(rank)).rejects.toMatchObject({
        code: 'DCML_WORKER',
        message: expect.stringContaining('Rank 0, which leads, is lost'),
      })
  })

  it('refuses what cannot be', () => {
    const { factory } = new MemoryNetwork().process(0, 2)
    const strategy = (elastic: ElasticOptions, transport = factory) => new DataParallel({ transport, elastic })
    expect(() => strategy({ min: 0 })).toThrow(/min of elastic/)
    expect(() => strategy({ min: 3 })).toThrow(/min of at most 2/)
    expect(() => new DataParallel({ elastic: { min: 1 } })).toThrow(/tcp\(\)/)
    const mpi = { name: 'mpi', kind: 'processes', join: async () => memoryTransports(1)[0]! } as const
    expect(() => strategy({ min: 1 }, mpi)).toThrow(/'mpi' cannot form its group anew/)
  })
})

describe('the door of the lobby', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  /** Rank 1 knocks; each knock is answered by the next of these, or as the last was. */
  function knock(...answers: (() => Promise<Transport>)[]) {
    vi.useFakeTimers({ toFake: ['performance', 'setTimeout'] })
    const factory: ProcessTransportFactory = {
      name: 'memory',
      kind: 'processes',
      place: () => ({ rank: 1, worldSize: 3, rendezvous: 'host:1000' }),
      join: () => (answers.length > 1 ? answers.shift()! : answers[0]!)(),
    }
    const member = new ElasticMember(factory, resolveElastic({ min: 1 }, factory))
    const outcome = member.enter().catch((error: unknown) => error)
    return { member, outcome }
  }

  const refused = async () => {
    throw new ConfigError('Refused.')
  }

  it('may refuse one of two that knock at once, however long they knocked before', async () => {
    const [leader, link] = memoryTransports(2)
    const nobody = async () => {
      await new Promise((resolve) => setTimeout(resolve, 20_000))
      throw new TransportError('Nobody opens.')
    }
    const { member, outcome } = knock(nobody, refused, async () => link!)
    await vi.advanceTimersByTimeAsync(21_000)
    await leader!.close()
    expect(await outcome).toMatchObject({ message: expect.stringContaining('Rank 0, which leads, is lost') })
    await member.close()
  })

  it('lets one out that still waits for its place', async () => {
    const [, link] = memoryTransports(2)
    const { member, outcome } = knock(async () => link!)
    await vi.advanceTimersByTimeAsync(1)
    await member.close()
    expect(await outcome).toMatchObject({ code: 'DCML_WORKER' })
  })

  it('closes behind a leader that still waits for others', async () => {
    const { factory } = new MemoryNetwork().process(0, 2)
    const leader = new ElasticLeader(factory, resolveElastic({ min: 2 }, factory))
    const outcome = leader.enter().catch((error: unknown) => error)
    await leader.close()
    expect(await outcome).toMatchObject({ message: expect.stringContaining('closed while its group formed') })
  })

  it('ends for one that is refused again and again', async () => {
    const { member, outcome } = knock(refused)
    await vi.advanceTimersByTimeAsync(6000)
    expect(await outcome).toBeInstanceOf(ConfigError)
    await member.close()
  })
})
