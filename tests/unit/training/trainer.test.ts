import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { selectBackend } from '../../../src/backends/index.js'
import { DataError, NumericError, ShapeError } from '../../../src/core/index.js'
import { Dataset, datasets } from '../../../src/data/index.js'
import { adam, sgd } from '../../../src/optimizers/index.js'
import { memory } from '../../../src/storage/index.js'
import { checkpoint, Trainer, type TrainerOptions } from '../../../src/training/index.js'

beforeAll(async () => {
  await selectBackend()
})

function digits(count: number): Dataset {
  const columns = datasets.syntheticDigits({ count, seed: 3 }).resident!.columns
  const x = Float32Array.from(columns.x!.data as Uint8Array, (pixel) => pixel / 255)
  return Dataset.fromArrays({ x: { data: x, shape: [count, 784] }, y: columns.y! })
}

function classifier(seed = 7, dropout = 0): tfl.LayersModel {
  const kernelInitializer = () => tfl.initializers.glorotUniform({ seed })
  return tfl.sequential({
    layers: [
      tfl.layers.dense({ units: 32, activation: 'relu', inputShape: [784], kernelInitializer: kernelInitializer() }),
      ...(dropout > 0 ? [tfl.layers.dropout({ rate: dropout })] : []),
      tfl.layers.dense({ units: 10, activation: 'softmax', kernelInitializer: kernelInitializer() }),
    ],
  })
}

const weightsOf = (model: tfl.LayersModel) => model.getWeights().map((weight) => Array.from(weight.dataSync()))

function trainerFor(model: tfl.LayersModel, options: Partial<TrainerOptions> = {}): Trainer {
  return new Trainer({
    model,
    loss: 'sparseCategoricalCrossentropy',
    optimizer: adam({ learningRate: 1e-3 }),
    metrics: ['accuracy'],
    ...options,
  } as TrainerOptions)
}

/** Norm of the difference over the norm, the largest over all tensors. */
function difference(a: number[][], b: number[][]): number {
  return Math.max(
    ...a.map((values, i) => {
      const norm = Math.hypot(...values.map((value, j) => value - b[i]![j]!))
      return norm / (Math.hypot(...b[i]!) || 1)
    }),
  )
}

describe('Trainer', () => {
  it('learns digits, and reports means that fit the evaluation', async () => {
    const { train, test } = digits(2000).split({ train: 0.8, test: 0.2 }, { seed: 1 })
    const trainer = trainerFor(classifier())
    const history = await trainer.fit(train, { epochs: 6, batchSize: 32, validation: test })
    expect(history.epochs).toHaveLength(6)
    expect(history.epochs[5]!.loss).toBeLessThan(history.epochs[0]!.loss)
    expect(history.epochs[5]!.val_accuracy).toBeGreaterThan(0.6)
    const evaluated = await trainer.evaluate(test)
    expect(evaluated.accuracy).toBeCloseTo(history.epochs[5]!.val_accuracy!, 6)
    expect(evaluated.loss).toBeCloseTo(history.epochs[5]!.val_loss!, 5)
    expect(history.engine).toBe('captured')
    expect(history.engineReason).toBeUndefined()
  })

  it('gives the same bits for the same seed, and others for another', async () => {
    const run = async (seed: number) => {
      const model = classifier()
      await trainerFor(model, { seed }).fit(digits(200), { epochs: 2 })
      return weightsOf(model)
    }
    const first = await run(1)
    expect(await run(1)).toEqual(first)
    expect(await run(2)).not.toEqual(first)
  })

  it('adds accumulated gradients up to those of the whole batch, the shorter last window too', async () => {
    const run = async (batchSize: number, accumulateSteps: number) => {
      const model = classifier()
      const trainer = trainerFor(model, { accumulateSteps, optimizer: sgd({ learningRate: 0.1 }) })
      await trainer.fit(digits(150), { epochs: 2, batchSize })
      return weightsOf(model)
    }
    expect(difference(await run(16, 4), await run(64, 1))).toBeLessThan(1e-5)
  })

  it('treats a weight of 2 as the row twice', async () => {
    const once = digits(64).resident!.columns
    const doubled = Dataset.fromArrays({ ...once, w: { data: new Float32Array(64).fill(2), shape: [64] } })
    const run = async (data: Dataset, sampleWeight?: string) => {
      const model = classifier()
      await trainerFor(model).fit(data, { epochs: 2, ...(sampleWeight ? { sampleWeight } : {}) })
      return weightsOf(model)
    }
    expect(difference(await run(doubled, 'w'), await run(Dataset.fromArrays(once)))).toBeLessThan(1e-6)
    const half = new Float32Array(64).map((_, i) => (i < 32 ? 1 : 0))
    const weighted = Dataset.fromArrays({ ...once, w: { data: half, shape: [64] } })
    const fitted = async (data: Dataset, sampleWeight?: string) => {
      const model = classifier()
      const options = { batchSize: 64, shuffle: false, ...(sampleWeight ? { sampleWeight } : {}) }
      await trainerFor(model).fit(data, options)
      return weightsOf(model)
    }
    expect(difference(await fitted(weighted, 'w'), await fitted(digits(64).take(32)))).toBeLessThan(1e-5)
  })

  it('computes the same weights in 8 logical shards of every batch', async () => {
    const run = async (deterministic?: { logicalShards: number }) => {
      const model = classifier(7, 0.3)
      await trainerFor(model, deterministic ? { deterministic } : {}).fit(digits(100), { batchSize: 25 })
      return weightsOf(model)
    }
    expect(difference(await run({ logicalShards: 8 }), await run())).toBeLessThan(1e-5)
  })

  it('resumes in the middle of an epoch to the same bits', async () => {
    const data = digits(320)
    const whole = classifier(7, 0.2)
    await trainerFor(whole, { callbacks: [checkpoint({ store: memory(), everySteps: 7 })] }).fit(data, { epochs: 3 })
    const store = memory()
    const controller = new AbortController()
    const interrupted = trainerFor(classifier(7, 0.2), {
      callbacks: [
        checkpoint({ store, everySteps: 7 }),
        { onStepEnd: ({ step }) => void (step === 14 && controller.abort()) },
      ],
    })
    const history = await interrupted.fit(data, { epochs: 3, signal: controller.signal })
    expect(history.stopReason).toBe('aborted')
    const resumed = classifier(99, 0.2)
    const after = await trainerFor(resumed).fit(data, { epochs: 3, resumeFrom: store })
    expect(weightsOf(resumed)).toEqual(weightsOf(whole))
    expect(after.epochs.map(({ epoch }) => epoch)).toEqual([0, 1, 2])
  })

  it('leaks no tensor', async () => {
    const trainer = trainerFor(classifier(7, 0.2))
    const data = digits(320)
    await trainer.fit(data, { epochs: 1 })
    const before = tf.memory().numTensors
    await trainer.fit(data, { epochs: 5 })
    expect(tf.memory().numTensors).toBe(before)
  })

  it('runs a custom step and streams', async () => {
    const model = classifier()
    const trainer = new Trainer({
      model,
      step: (m, batch) => {
        const output = m.apply(batch.x!, { training: true }) as tf.Tensor
        const truth = tf.oneHot(tf.cast(batch.y as tf.Tensor1D, 'int32'), 10)
        return { loss: tf.losses.logLoss(truth, output) as tf.Scalar }
      },
    })
    const data = digits(96)
    const stream = Dataset.fromBatches(() => data.batches(10))
    const history = await trainer.fit(stream, { epochs: 4, batchSize: 24 })
    expect(history.epochs[3]!.loss).toBeLessThan(history.epochs[0]!.loss)
  })

  it('gives every input its column, as rows of one number too', async () => {
    const inputs = ['a', 'b'].map((name) => tfl.input({ shape: [1], name }))
    const sum = tfl.layers.dense({ units: 1 }).apply(tfl.layers.concatenate().apply(inputs) as tfl.SymbolicTensor)
    const trainer = new Trainer({
      model: tfl.model({ inputs, outputs: sum as tfl.SymbolicTensor }),
      loss: 'meanSquaredError',
      optimizer: adam({ learningRate: 0.1 }),
    })
    const rows = Array.from({ length: 64 }, (_, i) => ({ a: i % 8, b: (i >> 3) % 8, y: (i % 8) - 2 * ((i >> 3) % 8) }))
    const { epochs } = await trainer.fit(Dataset.fromRows(rows), { epochs: 60, batchSize: 16 })
    expect(epochs.at(-1)!.loss).toBeLessThan(0.01)
    const wide = Dataset.fromRows(rows.map((row) => ({ ...row, b: [row.b, row.b] })))
    await expect(trainer.fit(wide)).rejects.toThrow(/column 'b' does not match.*\[rows, 1\].*\[rows, 2\]/)
  })

  it('names what is wrong', async () => {
    const data = digits(64)
    const columns = data.resident!.columns
    const wrong = new Int32Array(64).fill(10)
    const fitWith = (set: Dataset, options: Partial<TrainerOptions> = {}) => trainerFor(classifier(), options).fit(set)
    await expect(fitWith(data.take(0))).rejects.toThrow(DataError)
    await expect(fitWith(Dataset.fromArrays({ ...columns, y: { data: wrong, shape: [64] } }))).rejects.toThrow(
      /label of row 0 is not a class.*0 to 9.*received 10/i,
    )
    await expect(
      fitWith(Dataset.fromArrays({ x: { data: new Float32Array(64 * 9), shape: [64, 9] }, y: columns.y! })),
    ).rejects.toThrow(ShapeError)
    // At once, before threads or processes would each tell of it.
    expect(() => trainerFor(classifier(), { loss: 'crossEntropie' })).toThrow(/no loss named 'crossEntropie'/)
    expect(() => trainerFor(classifier(), { metrics: ['acuracy'] })).toThrow(/no metric for training named 'acuracy'/)
    await expect(fitWith(data, { loss: 'categoricalCrossentropy' })).rejects.toThrow(/sparseCategoricalCrossentropy/)
    await expect(fitWith(data, { optimizer: sgd({ learningRate: 1e30 }) })).rejects.toThrow(NumericError)
    expect(() => new Trainer({ model: classifier() })).toThrow(/loss or a step/)
  })
})
