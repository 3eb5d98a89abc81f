import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { describe, expect, it } from 'vitest'
import { currentBackend, ensureBackend, listBackends, selectBackend } from '../../../src/backends/index.js'
import { BackendUnavailableError, ConfigError } from '../../../src/core/index.js'

// Whatever this machine has: the backend cuda is looked for where nothing is.
process.env.DCML_CUDA_LIBRARIES = '/nowhere'

describe('choosing a backend in Node', () => {
  it('has none before one is chosen', () => {
    expect(currentBackend()).toBeUndefined()
  })

  it('lists all in order of preference, each with a reason when it is not available', async () => {
    const reports = await listBackends()
    expect(reports.map(({ name }) => name)).toEqual(['cuda', 'webgpu', 'webgl', 'tensorflow', 'wasm', 'cpu'])
    const byName = Object.fromEntries(reports.map((report) => [report.name, report]))
    expect(byName.cuda).toMatchObject({ available: false, reason: expect.stringContaining('/nowhere/libcuda.so.1') })
    expect(byName.webgl).toMatchObject({ available: false, reason: expect.stringContaining('browser') })
    // Its package is optional and needs a GPU, or one that the processor plays.
    expect(byName.webgpu!.reason ?? '').toMatch(
      byName.webgpu!.available ? /^$/ : /npm install webgpu|no adapter|backend-webgpu/,
    )
    expect(byName.tensorflow).toMatchObject({ available: false, reason: expect.stringContaining('tfjs-node') })
    expect(byName.cpu).toEqual({ name: 'cpu', available: true, features: [] })
    expect(byName.wasm).toMatchObject({ available: true })
    for (const { available, reason } of reports) expect(reason === undefined).toBe(available)
    // Asking changed nothing.
    expect(currentBackend()).toBeUndefined()
  })

  it('takes wasm when nobody chose', async () => {
    const report = await ensureBackend()
    expect(report.name).toBe('wasm')
    expect(tf.getBackend()).toBe('dcml-wasm')
    expect(currentBackend()).toEqual(report)
    expect(await ensureBackend()).toBe(report)
  })

  it('takes the first of the preferred that works', async () => {
    expect((await selectBackend({ prefer: ['cuda', 'webgl', 'cpu', 'wasm'] })).name).toBe('cpu')
    expect(tf.getBackend()).toBe('cpu')
    expect((await selectBackend({ prefer: ['wasm'] })).name).toBe('wasm')
  })

  it('refuses one that was asked for by name alone and is not here', async () => {
    const refused = selectBackend({ prefer: ['cuda'] })
    await expect(refused).rejects.toBeInstanceOf(BackendUnavailableError)
    await expect(refused).rejects.toThrow(/cuda is not available.*libcuda/s)
    await expect(selectBackend({ prefer: ['tensorflow'] })).rejects.toThrow(/tfjs-node.*Install/s)
    expect(tf.getBackend()).toBe('dcml-wasm')
  })

  it('refuses a name that is none', async () => {
    await expect(selectBackend({ prefer: ['gpu' as 'cpu'] })).rejects.toBeInstanceOf(ConfigError)
  })

  it('carries tensors over from another backend and back', async () => {
    await selectBackend({ prefer: ['cpu'] })
    const x = tf.tensor2d([1, 2, 3, 4], [2, 2])
    await selectBackend({ prefer: ['wasm'] })
    const y = tf.add(x, x)
    expect(await y.array()).toEqual([
      [2, 4],
      [6, 8],
    ])
    await selectBackend({ prefer: ['cpu'] })
    const z = tf.mul(y, x)
    await selectBackend({ prefer: ['wasm'] })
    expect(await tf.add(z, y).array()).toEqual([
      [4, 12],
      [24, 40],
    ])
    const before = tf.memory().numTensors
    tf.dispose([x, y, z])
    expect(tf.memory().numTensors).toBe(before - 3)
  })

  it('lets tfjs-layers train an LSTM', async () => {
    const model = tfl.sequential({
      layers: [tfl.layers.lstm({ units: 3, inputShape: [4, 2] }), tfl.layers.dense({ units: 1 })],
    })
    model.compile({ loss: 'meanSquaredError', optimizer: 'sgd' })
    const x = tf.randomNormal([8, 4, 2], 0, 1, 'float32', 1)
    const y = tf.sum(x, [1, 2]).reshape([8, 1])
    const history = await model.fit(x, y, { epochs: 5, verbose: 0 })
    const loss = history.history.loss as number[]
    expect(loss.at(-1)!).toBeLessThan(loss[0]!)
  })
})
