import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { selectBackend } from '../../../src/backends/index.js'
import { ConfigError, StateError } from '../../../src/core/index.js'
import { Dataset, datasets } from '../../../src/data/index.js'
import { adam, sgd } from '../../../src/optimizers/index.js'
import { Preprocessor, scale, standardize } from '../../../src/preprocess/index.js'
import { Profile, Trainer, type TrainerOptions } from '../../../src/training/index.js'

beforeEach(async () => {
  await selectBackend({ prefer: ['wasm'] })
})

const digits = datasets.syntheticDigits({ count: 100, seed: 3 })
const preprocessor = new Preprocessor([scale('x', 1 / 255)])

/** With moving means, dropout, and weights that are the same each time. */
function classifier(): tfl.LayersModel {
  const kernelInitializer = tfl.initializers.glorotUniform({ seed: 7 })
  return tfl.sequential({
    layers: [
      tfl.layers.flatten({ inputShape: [28, 28, 1] }),
      tfl.layers.dense({ units: 32, activation: 'relu', kernelInitializer }),
      tfl.layers.batchNormalization(),
      tfl.layers.dropout({ rate: 0.3 }),
      tfl.layers.dense({ units: 10, activation: 'softmax', kernelInitializer }),
    ],
  })
}

const trainerOf = (options: Partial<TrainerOptions> = {}) =>
  new Trainer({
    model: classifier(),
    loss: 'sparseCategoricalCrossentropy',
    optimizer: adam(),
    metrics: ['accuracy'],
    preprocessor,
    ...options,
  } as TrainerOptions)

const weightsOf = (model: tfl.LayersModel) => model.getWeights().map((weight) => Array.from(weight.dataSync()))

describe('trainer.profile', () => {
  it('times every call of a step', async () => {
    const profile = await trainerOf().profile(digits, { batchSize: 16, repeats: 3 })
    expect(profile).toBeInstanceOf(Profile)
    expect(profile.rows).toBe(16)
    expect(profile.calls).toHaveLength(profile.plannedCalls + 2)
    expect(profile.plannedCalls).toBeLessThan(profile.recordedCalls)
    expect(profile.stepMs).toBeGreaterThan(0)
    expect(profile.peakGflops).toBeGreaterThan(0)
    for (const { ms } of profile.calls) expect(ms).toBeGreaterThanOrEqual(0)
    // Forward and the gradient of the kernel in both layers, the gradient of the input in the second.
    const products = profile.calls.filter(({ kernel }) => kernel === 'matMul')
    expect(products.map(({ shape }) => shape).sort()).toEqual([
      '16x10x32 +bias',
      '16x32x10 bT',
      '16x32x784 +bias +relu',
      '32x10x16 aT',
      '784x32x16 aT',
    ])
    const flops = products.reduce((sum, call) => sum + call.flops, 0)
    expect(flops).toBe(2 * 16 * (2 * 784 * 32 + 3 * 32 * 10))
    expect(profile.calls[0]).toMatchObject({ kernel: 'gatherRows', shape: '16 rows' })
    const parameters = 784 * 32 + 32 + 2 * 32 + 32 * 10 + 10
    expect(profile.calls.at(-1)).toMatchObject({ kernel: 'adam', shape: `${parameters} parameters` })
    expect(profile.calls.at(-1)!.bytes).toBe(parameters * 4 * 7)
    // Its largest tensor alone: the rows of the batch.
    expect(profile.programBytes).toBeGreaterThan(16 * 784 * 4)
  })

  it('leaves the model and the trainer as they were', async () => {
    const model = classifier()
    const before = weightsOf(model)
    const trainer = trainerOf({ model })
    const { numTensors } = tf.memory()
    await trainer.profile(digits, { repeats: 2 })
    expect(weightsOf(model)).toEqual(before)
    expect(tf.memory().numTensors).toBe(numTensors)
    await trainer.fit(digits, { epochs: 2 })
    const fresh = trainerOf()
    await fresh.fit(digits, { epochs: 2 })
    expect(weightsOf(model)).toEqual(weightsOf(fresh.model))
  })

  it('takes the rows that there are, weights of samples, and streams', async () => {
    const columns = await digits.columns()
    const weighted = Dataset.fromArrays({ ...columns, w: { data: new Float32Array(100).fill(2), shape: [100] } })
    const profile = await trainerOf({ optimizer: sgd() }).profile(weighted, {
      batchSize: 1000,
      repeats: 1,
      sampleWeight: 'w',
    })
    expect(profile.rows).toBe(100)
    expect(profile.calls.at(-1)).toMatchObject({ kernel: 'sgd' })
    const endless = Dataset.fromBatches(async function* () {
      while (true) yield columns
    })
    expect((await trainerOf().profile(endless, { batchSize: 8, repeats: 1 })).rows).toBe(8)
  })

  it('says why a step cannot be captured, and leaves the model as it was', async () => {
    const model = classifier()
    const before = weightsOf(model)
    const step: TrainerOptions['step'] = (network, { x, y }) => {
      const output = network.apply(x!, { training: true }) as tf.Tensor2D
      const loss = tf.losses.softmaxCrossEntropy(tf.oneHot(tf.cast(y!, 'int32'), 10), output) as tf.Scalar
      return { loss: tf.mul(loss, 1 + loss.dataSync()[0]!) as tf.Scalar }
    }
    const failure = new Trainer({ model, step, preprocessor }).profile(digits)
    await expect(failure).rejects.toThrow(ConfigError)
    await expect(failure).rejects.toThrow('Values of a tensor are read in JavaScript during the step.')
    expect(weightsOf(model)).toEqual(before)
  })

  it('refuses an optimizer of tfjs, counts out of range, and a preprocessor that is not fitted', async () => {
    const withTfjs = trainerOf({ optimizer: tf.train.sgd(0.1) })
    await expect(withTfjs.profile(digits)).rejects.toThrow('tf.Optimizer')
    for (const options of [{ batchSize: 0 }, { repeats: 0 }, { repeats: 1.5 }])
      await expect(trainerOf().profile(digits, options)).rejects.toThrow(ConfigError)
    const unfitted = trainerOf({ preprocessor: new Preprocessor([standardize('x')]) })
    await expect(unfitted.profile(digits)).rejects.toThrow(StateError)
  })

  describe('on another backend', () => {
    afterEach(async () => {
      await selectBackend({ prefer: ['wasm'] })
    })

    it('says which backends capture', async () => {
      await selectBackend({ prefer: ['cpu'] })
      await expect(trainerOf().profile(digits)).rejects.toThrow('wasm and cuda alone')
    })
  })
})

describe('Profile', () => {
  const profile = new Profile({
    rows: 32,
    calls: [
      { kernel: 'matMul', shape: '32x64x784', ms: 0.5, flops: 5e6, bytes: 1e6 },
      { kernel: 'relu', shape: '2048', ms: 0.125, flops: 0, bytes: 1e6 },
      { kernel: 'matMul', shape: '32x64x784', ms: 0.25, flops: 5e6, bytes: 1e6 },
      { kernel: 'gatherRows', shape: '32 rows', ms: 0.125, flops: 0, bytes: 0 },
    ],
    stepMs: 0.8,
    recordedCalls: 1204,
    plannedCalls: 2,
    programBytes: 3 * 2 ** 20,
    peakGflops: 20,
  })

  it('becomes a table with a line for each kernel and shape, the costliest first', () => {
    const lines = String(profile).split('\n')
    expect(lines[0]).toBe('One step of 32 rows takes 0.800 ms: 40,000 rows per second.')
    expect(lines[1]).toBe('1,204 recorded calls became a program of 2, in 3.0 MiB of memory.')
    const cells = lines.map((line) => line.trim().split(/\s{2,}/))
    expect(cells[3]).toEqual(['kernel', 'shape', 'calls', 'ms', 'step', 'speed', 'of peak'])
    expect(cells.slice(5, 8)).toEqual([
      ['matMul', '32x64x784', '2', '0.7500', '75.0%', '13.3 GFLOP/s', '66.7%'],
      ['relu', '2048', '1', '0.1250', '12.5%', '8.0 GB/s'],
      ['gatherRows', '32 rows', '1', '0.1250', '12.5%'],
    ])
    expect(cells[9]).toEqual(['total', '4', '1.0000', '100.0%'])
    expect(lines.at(-1)).toContain('20.0 GFLOP/s')
  })

  it('puts what is cheap into one line', () => {
    const calls = Array.from({ length: 40 }, (_, i) => ({
      kernel: 'exp',
      shape: String(i),
      ms: 40 - i,
      flops: 0,
      bytes: 1,
    }))
    const lines = String(new Profile({ ...profile, calls })).split('\n')
    const more = lines.find((line) => line.startsWith('10 more'))!
    // 10 + 9 + ... + 1 of 40 + 39 + ... + 1.
    expect(more.trim().split(/\s{2,}/)).toEqual(['10 more', '10', '55.0000', '6.7%'])
    expect(lines.filter((line) => line.startsWith('exp'))).toHaveLength(30)
  })

  it('becomes a trace of complete events, one after another', () => {
    const { traceEvents } = JSON.parse(profile.toChromeTrace())
    const events = traceEvents.filter(({ ph }: { ph: string }) => ph === 'X')
    expect(events.map(({ name, ts, dur }: Record<string, unknown>) => [name, ts, dur])).toEqual([
      ['matMul 32x64x784', 0, 500],
      ['relu 2048', 500, 125],
      ['matMul 32x64x784', 625, 250],
      ['gatherRows 32 rows', 875, 125],
    ])
    for (const event of events) expect(event).toMatchObject({ pid: 1, tid: 1, cat: expect.any(String) })
    expect(events[0].args).toEqual({ flops: 5e6, bytes: 1e6 })
  })
})
