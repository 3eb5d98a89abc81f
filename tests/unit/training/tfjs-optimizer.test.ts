import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { selectBackend } from '../../../src/backends/index.js'
import { ConfigError, Random } from '../../../src/core/index.js'
import { Dataset } from '../../../src/data/index.js'
import { adam, sgd } from '../../../src/optimizers/index.js'
import { memory } from '../../../src/storage/index.js'
import { checkpoint, Trainer, type TrainerOptions } from '../../../src/training/index.js'
import { testedBackends } from '../backends/tested-backends.js'

const ROWS = 96
const rng = new Random(5)
const x = Float32Array.from({ length: ROWS * 4 }, () => rng.normal())
const y = Float32Array.from({ length: ROWS }, (_, i) => Math.sin(x[4 * i]!) + x[4 * i + 1]! * x[4 * i + 2]!)
const data = Dataset.fromArrays({ x: { data: x, shape: [ROWS, 4] }, y: { data: y, shape: [ROWS, 1] } })

function network(seed = 7): tfl.LayersModel {
  const kernelInitializer = () => tfl.initializers.glorotUniform({ seed })
  return tfl.sequential({
    layers: [
      tfl.layers.dense({ units: 16, activation: 'tanh', inputShape: [4], kernelInitializer: kernelInitializer() }),
      tfl.layers.dense({ units: 1, kernelInitializer: kernelInitializer() }),
    ],
  })
}

const weightsOf = (model: tfl.LayersModel) => model.getWeights().map((weight) => Array.from(weight.dataSync()))

const trainerFor = (model: tfl.LayersModel, options: Partial<TrainerOptions>) =>
  new Trainer({ model, loss: 'meanSquaredError', ...options } as TrainerOptions)

/** Weights after 30 steps of 32 rows, unless resumed or told otherwise. */
async function train(optimizer: TrainerOptions['optimizer'], options: Partial<TrainerOptions> = {}) {
  const model = network()
  await trainerFor(model, { ...(optimizer ? { optimizer } : {}), ...options }).fit(data, { epochs: 10 })
  return weightsOf(model)
}

/** Norm of the difference over the norm, the largest over all tensors. */
const difference = (a: number[][], b: number[][]) =>
  Math.max(...a.map((values, i) => Math.hypot(...values.map((value, j) => value - b[i]![j]!)) / Math.hypot(...b[i]!)))

describe.each(testedBackends())('an optimizer of tfjs on %s', (backend) => {
  beforeAll(async () => {
    await selectBackend({ prefer: [backend] })
  })

  it("agrees with dcml's own", async () => {
    const rate = { learningRate: 0.05 }
    expect(difference(await train(tf.train.sgd(0.05)), await train(sgd(rate)))).toBeLessThan(1e-6)
    const momentum = await train(sgd({ ...rate, momentum: 0.9 }))
    expect(difference(await train(tf.train.momentum(0.05, 0.9)), momentum)).toBeLessThan(1e-5)
    expect(
      difference(await train(tf.train.adam(0.01, 0.9, 0.999, 1e-8)), await train(adam({ learningRate: 0.01 }))),
    ).toBeLessThan(1e-5)
  })

  it('agrees with its own loop in tfjs', async () => {
    const model = network()
    const optimizer = tf.train.adam(0.01)
    await trainerFor(model, { optimizer }).fit(data, { epochs: 5, batchSize: ROWS, shuffle: false })
    const reference = network()
    const own = tf.train.adam(0.01)
    for (let step = 0; step < 5; step++)
      own.minimize(() => {
        const output = reference.apply(tf.tensor2d(x, [ROWS, 4])) as tf.Tensor
        return tf.mean(tf.squaredDifference(output, tf.tensor2d(y, [ROWS, 1]))) as tf.Scalar
      })
    expect(difference(weightsOf(model), weightsOf(reference))).toBeLessThan(1e-6)
  })

  it('goes through clipping and accumulation as any other', async () => {
    const options = { clipNorm: 0.5, accumulateSteps: 2 }
    const own = await train(sgd({ learningRate: 0.05 }), options)
    expect(difference(await train(tf.train.sgd(0.05), options), own)).toBeLessThan(1e-6)
  })

  it('runs eagerly and says why', async () => {
    const trainer = trainerFor(network(), { optimizer: tf.train.rmsprop(1e-3) })
    const history = await trainer.fit(data)
    expect(history).toMatchObject({ engine: 'eager', engineReason: 'A tf.Optimizer runs eagerly.' })
    expect(() => trainerFor(network(), { optimizer: tf.train.sgd(0.1), engine: 'captured' })).toThrow(ConfigError)
  })

  it.each([
    ['sgd', () => tf.train.sgd(0.05), 0],
    ['momentum', () => tf.train.momentum(0.05, 0.9), 0],
    ['rmsprop', () => tf.train.rmsprop(0.01), 0],
    ['adagrad', () => tf.train.adagrad(0.05), 0],
    // Its powers of beta are multiplied up in training and raised anew on resuming.
    ['adam', () => tf.train.adam(0.01), 1e-5],
  ])('resumes %s from a checkpoint', async (_name, make, bound) => {
    const whole = await train(make())
    const store = memory()
    const half = trainerFor(network(), { optimizer: make(), callbacks: [checkpoint({ store })] })
    await half.fit(data, { epochs: 5 })
    const model = network(99)
    await trainerFor(model, { optimizer: make() }).fit(data, { epochs: 10, resumeFrom: store })
    if (bound === 0) expect(weightsOf(model)).toEqual(whole)
    else expect(difference(weightsOf(model), whole)).toBeLessThan(bound)
  })

  it('refuses to resume what tfjs could not save, and what another optimizer saved', async () => {
    const saved = async (optimizer: TrainerOptions['optimizer']) => {
      const store = memory()
      await train(optimizer, { callbacks: [checkpoint({ store })] })
      return store
    }
    const resume = async (optimizer: NonNullable<TrainerOptions['optimizer']>, store: ReturnType<typeof memory>) =>
      trainerFor(network(), { optimizer }).fit(data, { epochs: 12, resumeFrom: store })
    const adamax = await saved(tf.train.adamax(0.01))
    await expect(resume(tf.train.adamax(0.01), adamax)).rejects.toThrow(/no state of tf.train.Adamax.*tfjs cannot save/)
    const own = await saved(adam())
    await expect(resume(tf.train.adam(0.01), own)).rejects.toThrow(/received mean, squaredMean/i)
    await expect(resume(adam(), await saved(tf.train.adam(0.01)))).rejects.toThrow(ConfigError)
  })

  it('leaks no tensor', async () => {
    const optimizer = tf.train.adam(0.01)
    const store = memory()
    const trainer = trainerFor(network(), { optimizer, callbacks: [checkpoint({ store })] })
    await trainer.fit(data, { epochs: 1 })
    const before = tf.memory().numTensors
    await trainer.fit(data, { epochs: 3 })
    await trainer.fit(data, { epochs: 5, resumeFrom: store })
    expect(tf.memory().numTensors).toBe(before)
  })
})
