import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { selectBackend } from '../../../src/backends/index.js'
import { ConfigError } from '../../../src/core/index.js'
import { Dataset, datasets } from '../../../src/data/index.js'
import { Predictor } from '../../../src/inference/index.js'
import { adam, sgd } from '../../../src/optimizers/index.js'
import { memory, type Store } from '../../../src/storage/index.js'
import { checkpoint, type History, Trainer, type TrainerOptions } from '../../../src/training/index.js'
import {
  asha,
  choice,
  findBatchSize,
  findLearningRate,
  grid,
  logUniform,
  population,
  pruning,
  random,
  Tuner,
  tuneAndRetrain,
} from '../../../src/tuning/index.js'

beforeAll(async () => {
  await selectBackend()
})

function digits(count: number, seed = 3): Dataset {
  const columns = datasets.syntheticDigits({ count, seed }).resident!.columns
  const x = Float32Array.from(columns.x!.data as Uint8Array, (pixel) => pixel / 255)
  return Dataset.fromArrays({ x: { data: x, shape: [count, 784] }, y: columns.y! })
}

const initializer = () => tfl.initializers.glorotUniform({ seed: 5 })

const network = (units = 16) =>
  tfl.sequential({
    layers: [
      tfl.layers.dense({ units, activation: 'relu', inputShape: [784], kernelInitializer: initializer() }),
      tfl.layers.batchNormalization(),
      tfl.layers.dense({ units: 10, activation: 'softmax', kernelInitializer: initializer() }),
    ],
  })

const trainer = (options: Partial<TrainerOptions> = {}) =>
  new Trainer({
    model: network(),
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['accuracy'],
    ...options,
  } as TrainerOptions)

const weightsOf = (model: tfl.LayersModel) => model.getWeights().map((weight) => Array.from(weight.dataSync()))

describe('pruning', () => {
  it('reports each epoch, and ends the training of a trial that is given up', async () => {
    const lengths: number[] = []
    const result = await new Tuner({
      space: { rate: choice([1e-2, 1e-9, 1e-8]) },
      sampler: grid(),
      scheduler: asha({ reductionFactor: 2 }),
    }).run(
      async (trial) => {
        const optimizer = adam({ learningRate: trial.params.rate })
        const history = await trainer({ optimizer, callbacks: [pruning(trial, { monitor: 'loss' })] }).fit(
          digits(200),
          { epochs: 4 },
        )
        lengths.push(history.epochs.length)
        return history.epochs.at(-1)!.loss
      },
      { trials: 6 },
    )
    expect(result.trials.map(({ state }) => state)).toEqual(['complete', 'pruned', 'pruned'])
    expect(result.params.rate).toBe(1e-2)
    expect(lengths).toEqual([4, 1, 1])
    expect(result.trials[0]!.reports.map(({ step }) => step)).toEqual([1, 2, 3, 4])
  })

  it('names a value that there is none of', async () => {
    const { trials } = await new Tuner({ space: { rate: logUniform(1e-3, 1e-2) } }).run(
      async (trial) => {
        await trainer({ callbacks: [pruning(trial, { monitor: 'val_acuracy' })] }).fit(digits(32), {
          validation: digits(32),
        })
        return 0
      },
      { trials: 1 },
    )
    expect(trials[0]!.error!.message).toMatch(/Did you mean 'val_accuracy'\?/)
  })
})

describe('population', () => {
  it('trains in rounds, each from the checkpoint of its parent', async () => {
    const data = digits(128)
    const stores = new Map<number, Store>()
    const histories = new Map<number, History>()
    const size = 3
    const result = await new Tuner({ space: { rate: logUniform(1e-6, 1e-1) }, sampler: population({ size }) }).run(
      async ({ number, parent, params: { rate } }) => {
        const store = memory()
        stores.set(number, store)
        const own = trainer({ optimizer: adam({ learningRate: rate }), callbacks: [checkpoint({ store })] })
        const history = await own.fit(data, {
          epochs: Math.floor(number / size) + 1,
          ...(parent === undefined ? {} : { resumeFrom: stores.get(parent)! }),
        })
        histories.set(number, history)
        return history.epochs.at(-1)!.loss
      },
      { trials: 4 * size },
    )
    for (const { number, state, notes } of result.trials) {
      expect(state).toBe('complete')
      const { epochs } = histories.get(number)!
      expect(epochs).toHaveLength(Math.floor(number / size) + 1)
      if (number >= size) expect(epochs.slice(0, -1)).toEqual(histories.get(notes!.parent!)!.epochs)
    }
    expect(result.value).toBeLessThan(histories.get(0)!.epochs[0]!.loss)
  })
})

describe('tuneAndRetrain', () => {
  it('searches, trains the best on all data for its best number of epochs, and saves it', async () => {
    const { train, validation, test } = digits(900).split({ train: 0.6, validation: 0.2, test: 0.2 }, { seed: 1 })
    const store = memory()
    const {
      best,
      history,
      trainer: final,
    } = await tuneAndRetrain(
      new Tuner({
        space: { rate: logUniform(1e-5, 1e-1), units: choice([4, 32]) },
        scheduler: asha(),
        direction: 'maximize',
      }),
      {
        trainer: ({ rate, units }, callbacks) =>
          trainer({ model: network(units), optimizer: adam({ learningRate: rate }), callbacks, seed: 1 }),
        train,
        validation,
        fit: { epochs: 5 },
        monitor: 'val_accuracy',
        trials: 8,
        store,
      },
    )
    const { reports, values } = best.trial
    expect(values[0]).toBe(Math.max(...reports.map(({ value }) => value)))
    expect(history.epochs).toHaveLength(reports.find(({ value }) => value === values[0])!.step)
    expect(history.epochs[0]!.val_loss).toBeUndefined()
    const accuracy = (await final.evaluate(test)).accuracy!
    expect(accuracy).toBeGreaterThan(0.5)
    await final.close()
    const predictor = await Predictor.load(store)
    const { x } = await test.take(5).columns()
    expect((await predictor.predict({ x: x! })).shape).toEqual([5, 10])
    predictor.dispose()
  })

  it('closes the final trainer and disposes its model if that cannot be trained or saved', async () => {
    const data = digits(32)
    const store = memory()
    store.write = async () => {
      throw new RangeError('full')
    }
    let closed = 0
    const models: tfl.LayersModel[] = []
    const run = tuneAndRetrain(new Tuner({ space: { a: choice([1]) } }), {
      trainer: (_, callbacks) => {
        models.push(network())
        const made = trainer({ model: models.at(-1)!, callbacks })
        const close = made.close.bind(made)
        made.close = async () => {
          closed++
          await close()
        }
        return made
      },
      train: data,
      validation: data,
      trials: 1,
      store,
    })
    await expect(run).rejects.toThrow(/full/)
    expect(closed).toBe(2)
    for (const model of models) expect(() => weightsOf(model)).toThrow(/disposed/)
  })

  it('needs one direction', async () => {
    const tuner = new Tuner({ space: { a: choice([1]) }, sampler: random(), directions: ['minimize', 'minimize'] })
    const data = digits(8)
    const run = tuneAndRetrain(tuner, { trainer: () => trainer(), train: data, validation: data })
    await expect(run).rejects.toThrow(/needs one direction/)
  })
})

describe('findLearningRate', () => {
  it('suggests a rate with which training learns, and leaves the model as it was', async () => {
    const data = digits(400)
    const model = network()
    const before = weightsOf(model)
    const own = trainer({ model, optimizer: sgd({ momentum: 0.9 }), seed: 2 })
    const curve = await findLearningRate(own, data, { from: 1e-5, to: 100, steps: 60 })
    expect(weightsOf(model)).toEqual(before)
    // It ended when the loss ran away, well before the last rate.
    expect(curve.rates.at(-1)!).toBeLessThan(100)
    for (const [i, rate] of curve.rates.slice(1).entries())
      expect(rate / curve.rates[i]!).toBeCloseTo(1e7 ** (1 / 59), 6)
    expect(curve.suggestion).toBeGreaterThan(1e-4)
    expect(curve.suggestion).toBeLessThan(5)
    const optimizer = sgd({ momentum: 0.9, learningRate: curve.suggestion })
    const { epochs } = await own.with(() => ({ optimizer })).fit(data, { epochs: 4 })
    expect(epochs.at(-1)!.loss).toBeLessThan(0.7 * curve.losses[0]!)
    expect(curve.toText()).toMatch(/suggested: \d\.\d\de[+-]\d/)
    expect(curve.toText().split('•').length).toBeGreaterThan(10)
    expect(curve.toHTML()).toContain('<svg')
  })

  it('disposes the models that it makes', async () => {
    const data = digits(64)
    const own = trainer({ model: () => network() })
    const count = async () => {
      await findLearningRate(own, data, { steps: 10 })
      await findBatchSize(own, data, { from: 8, to: 16, steps: 1 })
      return tf.memory().numTensors
    }
    expect(await count()).toBe(await count())
  })

  it('refuses rates that are no range, and an optimizer whose rate it cannot set', async () => {
    const data = digits(64)
    await expect(findLearningRate(trainer(), data, { from: 1, to: 0.1 })).rejects.toThrow(ConfigError)
    await expect(findLearningRate(trainer(), data, { steps: 3 })).rejects.toThrow(/steps is out of range/)
    await expect(findLearningRate(trainer({ optimizer: tf.train.sgd(0.1) }), data)).rejects.toThrow(/tf\.Optimizer/)
  })
})

describe('findBatchSize', () => {
  it('times sizes that double, up to the number of rows, and leaves the model as it was', async () => {
    const model = network()
    const before = weightsOf(model)
    const found = await findBatchSize(trainer({ model }), digits(100), { from: 8, steps: 3 })
    expect(weightsOf(model)).toEqual(before)
    const sizes = found.sizes.map(({ batchSize }) => batchSize)
    expect(sizes).toEqual([8, 16, 32, 64].slice(0, sizes.length))
    expect(sizes.length).toBeGreaterThan(1)
    expect(sizes).toContain(found.suggestion)
    for (const { samplesPerSecond } of found.sizes) expect(samplesPerSecond).toBeGreaterThan(0)
    expect(found.toText()).toContain('suggested')
  })

  it('ends at the size that fails, but throws when that is the first', async () => {
    let most = 0
    const failing = (limit: number) =>
      trainer({
        loss: (truth, output) => {
          most = Math.max(most, output.shape[0]!)
          if (output.shape[0]! >= limit) throw new RangeError('out of memory')
          return output
            .sub(truth.reshape([-1, 1]))
            .square()
            .mean(1)
        },
        metrics: [],
      })
    const found = await findBatchSize(failing(16), digits(100), { from: 8, steps: 2 })
    expect(found.sizes.map(({ batchSize }) => batchSize)).toEqual([8])
    expect(found.failure!.message).toMatch(/out of memory/)
    await expect(findBatchSize(failing(8), digits(100), { steps: 2 })).rejects.toThrow(/out of memory/)
    await expect(findBatchSize(trainer(), digits(5))).rejects.toThrow(/no batch size to try/)
  })
})
