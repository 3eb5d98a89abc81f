import * as tfl from '@tensorflow/tfjs-layers'
import {
  DataParallel,
  Dataset,
  type DistributedStrategy,
  type FitOptions,
  Random,
  SingleWorker,
  selectBackend,
  sgd,
  sharedMemory,
  Trainer,
  type TrainerOptions,
} from 'dcml'
import { beforeAll, expect, it } from 'vitest'

beforeAll(async () => {
  await selectBackend()
})

/** The last of the batches of 8 has a single row. */
const ROWS = 41
const random = new Random(2)
const x = Float32Array.from({ length: ROWS * 36 }, (_, i) => random.normal() * (1 + (i % 3)) + 3)
const y = Int32Array.from({ length: ROWS }, () => random.integer(3))
const data = Dataset.fromArrays({ x: { data: x, shape: [ROWS, 6, 6, 1] }, y: { data: y, shape: [ROWS] } })

const kernelInitializer = (seed: number) => tfl.initializers.glorotUniform({ seed })

const plain = () =>
  tfl.sequential({
    layers: [
      // No bias before a normalization: its gradient is zero up to rounding, and so are its values.
      tfl.layers.conv2d({
        filters: 4,
        kernelSize: 3,
        useBias: false,
        inputShape: [6, 6, 1],
        kernelInitializer: kernelInitializer(1),
      }),
      tfl.layers.batchNormalization(),
      tfl.layers.activation({ activation: 'relu' }),
      tfl.layers.flatten(),
      tfl.layers.dense({ units: 5, useBias: false, kernelInitializer: kernelInitializer(2) }),
      tfl.layers.batchNormalization({ momentum: 0.9 }),
      tfl.layers.dense({ units: 3, activation: 'softmax', kernelInitializer: kernelInitializer(3) }),
    ],
  })

/** Its layers add up unequally often: one has nothing to train below it, one is in a model of its own, one is used twice. */
function intricate(): tfl.LayersModel {
  const convolution = (filters: number, seed: number, inputShape?: tfl.Shape) =>
    tfl.layers.conv2d({
      filters,
      kernelSize: 3,
      useBias: false,
      kernelInitializer: kernelInitializer(seed),
      ...(inputShape ? { inputShape } : {}),
    })
  const inner = tfl.sequential({
    layers: [
      convolution(4, 1, [6, 6, 1]),
      tfl.layers.batchNormalization(),
      tfl.layers.activation({ activation: 'relu' }),
    ],
  })
  const input = tfl.input({ shape: [6, 6, 1] })
  const features = inner.apply(tfl.layers.batchNormalization({ trainable: false }).apply(input)) as tfl.SymbolicTensor
  const shared = tfl.layers.batchNormalization()
  const branches = [2, 3].map((seed) => shared.apply(convolution(5, seed).apply(features)) as tfl.SymbolicTensor)
  const joined = tfl.layers.flatten().apply(tfl.layers.add().apply(branches))
  const output = tfl.layers.dense({ units: 3, activation: 'softmax', kernelInitializer: kernelInitializer(4) })
  return tfl.model({ inputs: input, outputs: output.apply(joined) as tfl.SymbolicTensor })
}

async function train(
  strategy: DistributedStrategy,
  options: Partial<TrainerOptions> = {},
  { model = plain(), ...fit }: FitOptions & { model?: tfl.LayersModel } = {},
): Promise<Float32Array[]> {
  const trainer = new Trainer({
    model,
    loss: 'sparseCategoricalCrossentropy',
    optimizer: sgd({ learningRate: 0.05, momentum: 0.9 }),
    strategy,
    seed: 4,
    ...options,
  } as TrainerOptions)
  const history = await trainer.fit(data, { epochs: 3, batchSize: 8, ...fit })
  await trainer.close()
  if (options.syncBatchNorm) expect(history.engine).toBe('eager')
  return model.getWeights().map((weight) => Float32Array.from(weight.dataSync()))
}

function difference(a: Float32Array[], b: Float32Array[]): number {
  return Math.max(
    ...a.map((values, i) => Math.hypot(...values.map((value, j) => value - b[i]![j]!)) / (Math.hypot(...b[i]!) || 1)),
  )
}

const TOLERANCE = 2e-5

it('is the batch normalization of tfjs on one worker', async () => {
  const alone = await train(new SingleWorker(), { engine: 'eager' })
  expect(difference(await train(new SingleWorker(), { syncBatchNorm: true }), alone)).toBeLessThan(TOLERANCE)
})

it.each([2, 3])('gives %i workers the weights and moving means of one', async (workers) => {
  const alone = await train(new SingleWorker(), { engine: 'eager' })
  expect(difference(await train(new DataParallel({ workers })), alone)).toBeGreaterThan(1e-3)
  const together = await train(new DataParallel({ workers }), { syncBatchNorm: true })
  expect(difference(together, alone)).toBeLessThan(TOLERANCE)
})

it.each([
  { batchSize: 8, epochs: 3 },
  // One worker never has a row.
  { batchSize: 2, epochs: 1 },
])('holds where layers add up unequally often, in batches of $batchSize', async (fit) => {
  const alone = await train(new SingleWorker(), { engine: 'eager' }, { model: intricate(), ...fit })
  const strategy = new DataParallel({ workers: 3 })
  const together = await train(strategy, { syncBatchNorm: true }, { model: intricate(), ...fit })
  expect(difference(together, alone)).toBeLessThan(TOLERANCE)
})

it('refuses a model that has nothing to synchronize', async () => {
  const layers = [tfl.layers.flatten({ inputShape: [6, 6, 1] }), tfl.layers.dense({ units: 3 })]
  const run = train(new SingleWorker(), { syncBatchNorm: true }, { model: tfl.sequential({ layers }) })
  await expect(run).rejects.toThrow(/no BatchNormalization/)
})

it('refuses workers that cannot wait for each other within a step', async () => {
  const strategy = new DataParallel({ workers: 2, transport: sharedMemory({ native: false }) })
  await expect(train(strategy, { syncBatchNorm: true })).rejects.toThrow(/within a step/)
  await expect(train(new SingleWorker(), { syncBatchNorm: true, engine: 'captured' })).rejects.toThrow(/eager/)
})
