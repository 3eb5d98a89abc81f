import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadLibrary } from '../../src/backends/cuda/ffi/libraries.js'
import { thisMachine } from '../../src/backends/cuda/ffi/places.js'
import { selectBackend } from '../../src/backends/index.js'
import { loadKoffi } from '../../src/core/index.js'
import { Dataset } from '../../src/data/index.js'
import { adam, lamb, type Optimizer, sgd } from '../../src/optimizers/index.js'
import { Trainer } from '../../src/training/index.js'
import { useStandIn } from './stand-in.js'

const isThere = useStandIn('captured steps')
const isStandIn = !process.env.DCML_TEST_GPU

const start = (seed: number) => tfl.initializers.randomNormal({ stddev: 0.3, seed })

/** Convolution, batch normalization with its moving means, dropout: scratch, assigned variables, numbers given anew. */
function network(): tfl.LayersModel {
  return tfl.sequential({
    layers: [
      tfl.layers.conv2d({
        filters: 4,
        kernelSize: 3,
        activation: 'relu',
        inputShape: [6, 6, 1],
        kernelInitializer: start(1),
      }),
      tfl.layers.batchNormalization({}),
      tfl.layers.maxPooling2d({ poolSize: 2 }),
      tfl.layers.flatten(),
      tfl.layers.dropout({ rate: 0.25 }),
      tfl.layers.dense({ units: 3, activation: 'softmax', kernelInitializer: start(2) }),
    ],
  })
}

/** An auto-encoder: pools down, and comes back by each way of up-sampling. */
function autoEncoder(): tfl.LayersModel {
  const convolution = (filters: number, seed: number) =>
    tfl.layers.conv2d({ filters, kernelSize: 3, padding: 'same', activation: 'tanh', kernelInitializer: start(seed) })
  return tfl.sequential({
    layers: [
      tfl.layers.inputLayer({ inputShape: [6, 6, 1] }),
      convolution(5, 1),
      tfl.layers.maxPooling2d({ poolSize: 3 }),
      convolution(3, 2),
      tfl.layers.upSampling2d({ size: [3, 2] }),
      convolution(2, 3),
      tfl.layers.upSampling2d({ size: [1, 3], interpolation: 'bilinear' }),
      tfl.layers.cropping2D({
        cropping: [
          [0, 0],
          [3, 3],
        ],
      }),
      convolution(1, 4),
    ],
  })
}

const rows = 40
const x = { data: Float32Array.from({ length: rows * 36 }, (_, i) => Math.sin(i * 1.7)), shape: [rows, 6, 6, 1] }
const pictures = Dataset.fromArrays({ x, y: x })
const data = Dataset.fromArrays({
  x,
  y: { data: Int32Array.from({ length: rows }, (_, i) => i % 3), shape: [rows] },
})

interface Training {
  optimizer?: Optimizer
  /** Whether pictures are to come out as they went in, or classes. */
  isAutoEncoder?: boolean
  /** @default pictures or classes, in memory */
  dataset?: Dataset
}

async function train(
  engine: 'eager' | 'captured',
  {
    optimizer = adam({ learningRate: 1e-2 }),
    isAutoEncoder = false,
    dataset = isAutoEncoder ? pictures : data,
  }: Training = {},
) {
  const model = isAutoEncoder ? autoEncoder() : network()
  const loss = isAutoEncoder ? 'meanSquaredError' : 'sparseCategoricalCrossentropy'
  const trainer = new Trainer({ model, loss, optimizer, engine, seed: 3 })
  const history = await trainer.fit(dataset, { epochs: 4, batchSize: 8 })
  expect(history.engine).toBe(engine)
  await trainer.close()
  const weights = await Promise.all(model.getWeights().map(async (weight) => [...(await weight.data())]))
  model.dispose()
  return { losses: history.epochs.map(({ loss }) => loss), weights: weights.flat() }
}

const worst = (a: number[], b: number[]) => Math.max(...a.map((value, i) => Math.abs(value - b[i]!)))

describe.runIf(isThere)('captured steps on cuda', () => {
  let setOrder: (order: number) => number

  beforeAll(async () => {
    await selectBackend({ prefer: ['cuda'] })
    if (!isStandIn) return
    const loaded = await loadKoffi()
    if ('reason' in loaded) throw new Error(loaded.reason)
    const { library } = loadLibrary(loaded.koffi, 'driver', thisMachine())
    setOrder = library.func('int standInOrder(int order)') as unknown as typeof setOrder
  })

  it.each([
    ['with adam', () => ({ optimizer: adam({ learningRate: 1e-2 }) })],
    ['with lamb', () => ({ optimizer: lamb({ learningRate: 1e-2 }) })],
    ['through up-sampling', () => ({ isAutoEncoder: true })],
  ] as const)('train as eager ones do %s', async (_, training) => {
    const [captured, eager] = [await train('captured', training()), await train('eager', training())]
    expect(worst(captured.losses, eager.losses)).toBeLessThan(1e-4)
    expect(worst(captured.weights, eager.weights)).toBeLessThan(1e-3)
  })

  it('end with one error at the step whose loss is no number, and change no weight in it', async () => {
    const fail = async (options: { clipNorm?: number }) => {
      const model = network()
      const trainer = new Trainer({
        model,
        loss: 'sparseCategoricalCrossentropy',
        optimizer: sgd({ learningRate: 1e20, momentum: 0.5 }),
        engine: 'captured',
        ...options,
      })
      const error = await trainer.fit(data, { epochs: 20, batchSize: 8 }).catch((reason: unknown) => reason)
      await trainer.close()
      const weights = await Promise.all(model.getWeights().map(async (weight) => [...(await weight.data())]))
      model.dispose()
      // Without the moving means and variances, which are assigned before the loss is known.
      return {
        message: (error as Error).message,
        weights: model.weights.flatMap(({ trainable }, i) => (trainable ? weights[i]! : [])),
      }
    }
    const failed = await fail({})
    expect(failed.message).toMatch(/loss of step \d+ is not a finite number/)
    // A norm that no gradient reaches: it changes nothing, but such steps are taken one by one.
    expect(failed).toEqual(await fail({ clipNorm: Number.MAX_VALUE }))
  })

  it('take streams as they take data in memory, up to rounding', async () => {
    const streamed = Dataset.fromBatches(async function* () {
      yield await data.columns()
    })
    const run = async (dataset: Dataset) => {
      const model = network()
      const trainer = new Trainer({ model, loss: 'sparseCategoricalCrossentropy', engine: 'captured', seed: 3 })
      await trainer.fit(dataset, { epochs: 4, batchSize: 8, shuffle: false })
      await trainer.close()
      const weights = await Promise.all(model.getWeights().map(async (weight) => [...(await weight.data())]))
      model.dispose()
      return weights.flat()
    }
    expect(worst(await run(streamed), await run(data))).toBeLessThan(1e-5)
  })

  it('take streams that use their arrays again', async () => {
    const { x, y } = await data.columns()
    const streamed = (makesArrays: boolean) =>
      Dataset.fromBatches(async function* () {
        let arrays = [new Float32Array(8 * 36), new Int32Array(8)] as const
        for (let from = 0; from < rows; from += 8) {
          if (makesArrays) arrays = [new Float32Array(8 * 36), new Int32Array(8)]
          arrays[0].set((x!.data as Float32Array).subarray(from * 36, (from + 8) * 36))
          arrays[1].set((y!.data as Int32Array).subarray(from, from + 8))
          yield { x: { data: arrays[0], shape: [8, 6, 6, 1] }, y: { data: arrays[1], shape: [8] } }
        }
      })
    const own = await train('captured', { dataset: streamed(true) })
    expect(await train('captured', { dataset: streamed(false) })).toEqual(own)
  })

  it('can be profiled: what was joined is a line with the names of its parts', async () => {
    const model = network()
    const trainer = new Trainer({ model, loss: 'sparseCategoricalCrossentropy', optimizer: adam(), engine: 'captured' })
    const profile = await trainer.profile(data, { batchSize: 8, repeats: 1 })
    const joined = profile.calls.find(({ kernel }) => kernel.startsWith('dropoutMask+mul'))!
    // Rows of 2 x 2 x 4: read once and written once; the mask is never in memory.
    expect(joined).toMatchObject({ shape: '128', bytes: 2 * 4 * 128 })
    expect(String(profile)).toContain('dropoutMask+mul')
    await trainer.close()
    model.dispose()
  })

  it('give the same bits at every run', async () => {
    expect(await train('captured')).toEqual(await train('captured'))
  })

  it.runIf(isStandIn)('give the same bits in whatever order blocks and threads run', async () => {
    const forwards = await train('captured')
    // Backwards, and by a seed.
    for (const order of [-1, 7]) {
      setOrder(order)
      expect(await train('captured')).toEqual(forwards)
    }
    setOrder(0)
  })

  it('leave tensors alone that are made after the capture, and take no more memory from step to step', async () => {
    const model = network()
    const seen: { value: number; tensor: tf.Tensor }[] = []
    const reserved: number[] = []
    const trainer = new Trainer({
      model,
      loss: 'sparseCategoricalCrossentropy',
      optimizer: adam(),
      engine: 'captured',
      callbacks: [
        {
          onStepEnd: ({ step }) => {
            reserved.push((tf.memory() as unknown as { numBytesInGPUReserved: number }).numBytesInGPUReserved)
            // Of sizes as scratch has them, too.
            if (step !== 5) return
            for (let size = 16; size < 1e6; size *= 2) seen.push({ value: size, tensor: tf.fill([size], size) })
          },
        },
      ],
    })
    await trainer.fit(data, { epochs: 4, batchSize: 8 })
    expect(seen.length).toBeGreaterThan(10)
    for (const { value, tensor } of seen) {
      const values = await tensor.data()
      expect(values.every((element) => element === value)).toBe(true)
      tensor.dispose()
    }
    expect(new Set(reserved.slice(6)).size).toBe(1)
    await trainer.close()
  })
})
