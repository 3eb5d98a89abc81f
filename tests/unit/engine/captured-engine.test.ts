import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { selectBackend } from '../../../src/backends/index.js'
import { listAssists } from '../../../src/backends/node.js'
import { activeWasmBackend } from '../../../src/backends/wasm/register.js'
import { Random } from '../../../src/core/index.js'
import { Dataset } from '../../../src/data/index.js'
import { createEngine, divideLayout, type FlatParameters, runModel } from '../../../src/engine/index.js'
import { MultiHeadAttention } from '../../../src/models/index.js'
import { adam, sgd } from '../../../src/optimizers/index.js'
import {
  type BatchBuckets,
  type History,
  SingleWorker,
  Trainer,
  type TrainerOptions,
} from '../../../src/training/index.js'

const [blas] = await listAssists()
if (!blas!.available) console.log(`Skipped: captured steps with a BLAS. ${blas!.reason}`)
// The products of these networks are small.
process.env.DCML_BLAS_SMALLEST = '1'

beforeAll(async () => {
  await selectBackend({ prefer: ['wasm'] })
})

const rows = 40

/** Random features of a row shape, and classes that depend on them. */
function classes(rowShape: number[], vocabulary?: number): Dataset {
  const random = new Random(1)
  const width = rowShape.reduce((a, b) => a * b, 1)
  const value = () => (vocabulary === undefined ? random.normal() : Math.floor(random.uniform() * vocabulary))
  const x = Float32Array.from({ length: rows * width }, value)
  const y = Int32Array.from({ length: rows }, (_, row) => (x[row * width]! > x[row * width + 1]! ? 1 : 0))
  const w = Float32Array.from({ length: rows }, () => 0.5 + random.uniform())
  return Dataset.fromArrays({
    x: { data: x, shape: [rows, ...rowShape] },
    y: { data: y, shape: [rows] },
    w: { data: w, shape: [rows] },
  })
}

const start = (seed: number) => tfl.initializers.glorotUniform({ seed })
const last = () => tfl.layers.dense({ units: 2, activation: 'softmax', kernelInitializer: start(9) })

/**
 * Three heads; its kernels have more dimensions than the products that compute their gradients. Without biases: that of
 * the keys changes nothing, and what rounding leaves of its gradient Adam would make large.
 */
function attention(): tfl.layers.Layer {
  const layer = new MultiHeadAttention({ numHeads: 3, keyDim: 2, useBias: false })
  layer.build([null, 4, 6])
  const random = new Random(2)
  const normal = (size: number) => Array.from({ length: size }, () => random.normal() / 3)
  const values = layer.getWeights().map(({ shape, size }) => tf.tensor(normal(size), shape))
  layer.setWeights(values)
  tf.dispose(values)
  return layer
}

const networks: Record<string, { shape: number[]; vocabulary?: number; layers: () => tfl.layers.Layer[] }> = {
  mlp: {
    shape: [12],
    layers: () => [
      tfl.layers.dense({ units: 7, activation: 'relu', inputShape: [12], kernelInitializer: start(1) }),
      tfl.layers.dense({ units: 5, activation: 'tanh', kernelInitializer: start(2) }),
      last(),
    ],
  },
  cnn: {
    shape: [9, 9, 2],
    layers: () => [
      tfl.layers.conv2d({
        filters: 5,
        kernelSize: 3,
        activation: 'relu',
        inputShape: [9, 9, 2],
        kernelInitializer: start(1),
      }),
      tfl.layers.maxPooling2d({ poolSize: 2 }),
      tfl.layers.depthwiseConv2d({ kernelSize: 2, activation: 'relu6', depthwiseInitializer: start(2) }),
      tfl.layers.globalAveragePooling2d({}),
      last(),
    ],
  },
  'up-sampling': {
    shape: [4, 5, 2],
    layers: () => [
      tfl.layers.upSampling2d({ size: [2, 1], inputShape: [4, 5, 2] }),
      tfl.layers.conv2d({ filters: 3, kernelSize: 3, activation: 'tanh', kernelInitializer: start(1) }),
      tfl.layers.upSampling2d({ size: [3, 2] }),
      tfl.layers.upSampling2d({ size: [2, 2], interpolation: 'bilinear' }),
      tfl.layers.conv2d({ filters: 3, kernelSize: 5, strides: 3, activation: 'tanh', kernelInitializer: start(2) }),
      tfl.layers.flatten(),
      last(),
    ],
  },
  embedding: {
    shape: [6],
    vocabulary: 11,
    layers: () => [
      tfl.layers.embedding({ inputDim: 11, outputDim: 4, inputLength: 6, embeddingsInitializer: start(1) }),
      tfl.layers.globalAveragePooling1d({}),
      last(),
    ],
  },
  lstm: {
    shape: [5, 3],
    layers: () => [
      tfl.layers.lstm({
        units: 4,
        inputShape: [5, 3],
        recurrentActivation: 'sigmoid',
        kernelInitializer: start(1),
        recurrentInitializer: start(2),
      }),
      last(),
    ],
  },
  'batch normalization': {
    shape: [12],
    layers: () => [
      tfl.layers.dense({ units: 7, inputShape: [12], kernelInitializer: start(1) }),
      tfl.layers.batchNormalization({ momentum: 0.9 }),
      tfl.layers.activation({ activation: 'relu' }),
      last(),
    ],
  },
  'layer normalization': {
    shape: [4, 6],
    layers: () => [
      tfl.layers.dense({ units: 6, activation: 'sigmoid', inputShape: [4, 6], kernelInitializer: start(1) }),
      tfl.layers.layerNormalization(),
      tfl.layers.flatten(),
      last(),
    ],
  },
  attention: {
    shape: [4, 6],
    layers: () => [
      tfl.layers.dense({ units: 6, inputShape: [4, 6], kernelInitializer: start(1) }),
      attention(),
      tfl.layers.flatten(),
      last(),
    ],
  },
  dropout: {
    shape: [12],
    layers: () => [
      tfl.layers.dense({ units: 16, activation: 'relu', inputShape: [12], kernelInitializer: start(1) }),
      tfl.layers.dropout({ rate: 0.4 }),
      tfl.layers.gaussianNoise({ stddev: 0.1 }),
      last(),
    ],
  },
  'weight decay': {
    shape: [12],
    layers: () => [
      tfl.layers.dense({
        units: 7,
        activation: 'elu',
        inputShape: [12],
        kernelInitializer: start(1),
        kernelRegularizer: tfl.regularizers.l2({ l2: 0.01 }),
      }),
      last(),
    ],
  },
}

async function train(
  name: string,
  options: Partial<TrainerOptions>,
  fit: { epochs: number; batchSize?: number; sampleWeight?: string; validation?: Dataset },
): Promise<{ history: History; weights: Float32Array[]; model: tfl.LayersModel }> {
  const { shape, vocabulary, layers } = networks[name]!
  const model = tfl.sequential({ layers: layers() })
  const trainer = new Trainer({
    model,
    loss: 'sparseCategoricalCrossentropy',
    optimizer: adam({ learningRate: 0.01 }),
    metrics: ['accuracy'],
    seed: 4,
    ...options,
  } as TrainerOptions)
  // 40 rows in batches of 16: each epoch ends with a shorter batch, which is a program of its own.
  const history = await trainer.fit(classes(shape, vocabulary), { batchSize: 16, ...fit })
  await trainer.close()
  return { history, weights: model.getWeights().map((w) => Float32Array.from(w.dataSync())), model }
}

/** Largest norm of a difference over the norm, of all weights. */
function difference(a: Float32Array[], b: Float32Array[]): number {
  return Math.max(
    ...a.map((values, i) => {
      const norm = Math.hypot(...values)
      return Math.hypot(...values.map((value, j) => value - b[i]![j]!)) / (norm || 1)
    }),
  )
}

/** A worker that takes its gradients in buckets of so many elements. */
class InBuckets extends SingleWorker {
  constructor(readonly largest: number) {
    super()
  }

  override gradientBuckets(parameters: FlatParameters): BatchBuckets {
    const ranges = divideLayout(parameters.layout, this.largest)
    return {
      ranges,
      async take(bucket, values, { isFirst }) {
        const { from, to } = ranges[bucket]!
        const target = parameters.gradients.subarray(from, to)
        expect(values).toHaveLength(to - from)
        for (let i = 0; i < values.length; i++) target[i] = values[i]! + (isFirst ? 0 : target[i]!)
        // They are the receiver's.
        values.fill(Number.NaN)
      },
    }
  }
}

describe('captured steps', () => {
  it.each(Object.keys(networks))('train as eager ones do: %s', async (name) => {
    const eager = await train(name, { engine: 'eager' }, { epochs: 34 })
    const captured = await train(name, { engine: 'captured' }, { epochs: 34 })
    expect(captured.history.engineReason).toBeUndefined()
    expect(captured.history.engine).toBe('captured')
    expect(difference(eager.weights, captured.weights)).toBeLessThan(1e-5)
    expect(captured.history.epochs[33]!.loss).toBeCloseTo(eager.history.epochs[33]!.loss, 5)
    expect(captured.history.epochs[33]!.accuracy).toBeCloseTo(eager.history.epochs[33]!.accuracy!, 6)
  })

  it.skipIf(!blas!.available).each(Object.keys(networks))('train as eager ones do, with a BLAS: %s', async (name) => {
    const eager = await train(name, { engine: 'eager', assist: 'blas' }, { epochs: 34 })
    const captured = await train(name, { engine: 'captured', assist: 'blas' }, { epochs: 34 })
    expect(captured.history.engineReason).toBeUndefined()
    for (const { history } of [eager, captured]) expect(history.assist).toBe(blas!.library)
    expect(difference(eager.weights, captured.weights)).toBeLessThan(1e-5)
  })

  it.skipIf(!blas!.available)('use a BLAS only where their own trainer asks for it', async () => {
    const plain = await train('mlp', { engine: 'captured' }, { epochs: 3 })
    const assisted = await train('mlp', { engine: 'captured', assist: 'blas' }, { epochs: 3 })
    const again = await train('mlp', { engine: 'captured' }, { epochs: 3 })
    expect(again.history.assist).toBeUndefined()
    expect(again.weights).toEqual(plain.weights)
    expect(difference(assisted.weights, plain.weights)).toBeLessThan(1e-5)
  })

  it('add up gradients and weigh rows as eager ones do', async () => {
    for (const options of [{ accumulateSteps: 2 }, { clipNorm: 0.05 }, { deterministic: { logicalShards: 3 } }]) {
      const eager = await train('mlp', { engine: 'eager', ...options }, { epochs: 5, sampleWeight: 'w' })
      const captured = await train('mlp', { engine: 'captured', ...options }, { epochs: 5, sampleWeight: 'w' })
      expect(captured.history.engine).toBe('captured')
      expect(difference(eager.weights, captured.weights)).toBeLessThan(1e-5)
    }
  })

  it('evaluate as eager ones do, with the moving means of the moment', async () => {
    const { shape } = networks['batch normalization']!
    const validation = classes(shape)
    const eager = await train('batch normalization', { engine: 'eager' }, { epochs: 4, validation })
    const captured = await train('batch normalization', { engine: 'captured' }, { epochs: 4, validation })
    eager.history.epochs.forEach(({ val_loss }, i) => {
      expect(captured.history.epochs[i]!.val_loss).toBeCloseTo(val_loss!, 5)
    })
  })

  it.each(Object.keys(networks))('hand over their gradients in buckets of any size: %s', async (name) => {
    // A norm that no gradient reaches changes nothing, but steps with it are taken one by one.
    const clipNorm = 1e30
    for (const options of [{ clipNorm }, { accumulateSteps: 2 }]) {
      const whole = await train(name, { engine: 'captured', ...options }, { epochs: 3 })
      for (const largest of [1, 16, 1000]) {
        const strategy = new InBuckets(largest)
        const pieces = await train(name, { engine: 'captured', strategy, ...options }, { epochs: 3 })
        expect(pieces.history.engineReason).toBeUndefined()
        expect(difference(pieces.weights, whole.weights)).toBeLessThan(1e-5)
      }
    }
    const eager = await train(name, { engine: 'eager', clipNorm }, { epochs: 3 })
    const pieces = await train(name, { engine: 'eager', clipNorm, strategy: new InBuckets(16) }, { epochs: 3 })
    expect(pieces.weights).toEqual(eager.weights)
  })

  it('draw other random numbers in each step', async () => {
    const steps = await train(
      'dropout',
      { engine: 'captured', optimizer: sgd({ learningRate: 0 }) },
      { epochs: 3, batchSize: rows },
    )
    const losses = steps.history.epochs.map(({ loss }) => loss)
    expect(new Set(losses).size).toBe(3)
  })

  it('tell of an index that lies outside the table, as tfjs does', async () => {
    const columns = await classes([6], 11).columns()
    const x = Float32Array.from(columns.x!.data as Float32Array)
    x[x.length - 1] = 11
    const dataset = Dataset.fromArrays({ ...columns, x: { data: x, shape: [rows, 6] } })
    const trainer = new Trainer({
      model: tfl.sequential({ layers: networks.embedding!.layers() }),
      loss: 'sparseCategoricalCrossentropy',
      optimizer: sgd(),
      engine: 'captured',
    })
    // The first batches are captured and run; the last one holds the index.
    await expect(trainer.fit(dataset, { batchSize: 8, shuffle: false })).rejects.toThrow(/index value 11/)
    await trainer.close()
  })

  it('leave no tensor and no memory behind', async () => {
    await train('batch normalization', { engine: 'captured' }, { epochs: 2 })
    const before = { ...tf.memory() } as tf.MemoryInfo & { numBytesInWasm: number }
    const { model } = await train('batch normalization', { engine: 'captured' }, { epochs: 2 })
    model.dispose()
    const after = tf.memory() as tf.MemoryInfo & { numBytesInWasm: number }
    expect(after.numTensors).toBeLessThanOrEqual(before.numTensors)
    expect(after.numBytesInWasm).toBeLessThanOrEqual(before.numBytesInWasm)
  })
})

describe('captured predictions', () => {
  it('are those of the model, batch after batch, and follow its weights', async () => {
    const { shape, layers } = networks['batch normalization']!
    const model = tfl.sequential({ layers: layers() })
    const columns = await classes(shape).columns()
    const engine = createEngine('captured')
    const expected = async () => {
      const output = model.predict(tf.tensor(columns.x!.data as Float32Array, [rows, ...shape])) as tf.Tensor
      const values = await output.data()
      output.dispose()
      return values
    }
    const predict = async () => (await runModel(model, columns, { batchSize: 8, engine })).data
    expect(largest(await predict(), await expected())).toBeLessThan(1e-6)
    model.setWeights(model.getWeights().map((weight) => tf.add(tf.mul(weight, 0.7), 0.1)))
    expect(largest(await predict(), await expected())).toBeLessThan(1e-6)
    expect(engine.name).toBe('captured')
    engine.dispose()
  })
})

const largest = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i]!)))

describe('what cannot be captured runs eagerly, and says why', () => {
  beforeAll(() => {
    tf.registerKernel({
      kernelName: 'PastTheTable',
      backendName: tf.getBackend(),
      kernelFunc: () => {
        const backend = activeWasmBackend()!
        const out = backend.output([], 'float32')
        backend.heap.floats[backend.pointer(out) / 4] = 2
        return out
      },
    })
  })

  const fitStep = async (step: TrainerOptions['step']) => {
    const { history } = await train('mlp', { loss: undefined as never, step, metrics: [] } as never, { epochs: 1 })
    return history
  }
  const loss = (model: tfl.LayersModel, batch: Record<string, tf.Tensor>) =>
    tf.mean(tf.square(model.apply(batch.x!, { training: true }) as tf.Tensor)) as tf.Scalar

  it.each([
    ['reads values', /read in JavaScript/, (value: tf.Scalar) => tf.mul(value, value.dataSync()[0]! > 1 ? 2 : 3)],
    ['makes other tensors each time', /made in JavaScript/, (value: tf.Scalar) => tf.mul(value, Math.random())],
    [
      'runs on loan',
      /no kernel of its own/,
      (value: tf.Scalar) => tf.mul(value, tf.cast(tf.unique(tf.tensor1d([1, 1])).values, 'float32')),
    ],
    [
      'runs a kernel that is in no table',
      /kernel that cannot be recorded/,
      (value: tf.Scalar) => tf.mul(value, tf.engine().runKernel('PastTheTable', {}) as tf.Scalar),
    ],
  ] as [string, RegExp, (value: tf.Scalar) => tf.Tensor][])('a step that %s', async (_, reason, change) => {
    const history = await fitStep((model, batch) => ({ loss: tf.reshape(change(loss(model, batch)), []) as tf.Scalar }))
    expect(history.engine).toBe('eager')
    expect(history.engineReason).toMatch(reason)
  })

  it('a step that asks for its number', async () => {
    const history = await fitStep((model, batch, { step }) => ({ loss: tf.mul(loss(model, batch), step) as tf.Scalar }))
    expect(history.engine).toBe('eager')
    expect(history.engineReason).toMatch(/context\.step/)
  })
})
