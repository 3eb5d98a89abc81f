import * as tfl from '@tensorflow/tfjs-layers'
import {
  adam,
  bfloat16,
  DataParallel,
  Dataset,
  type DistributedStrategy,
  float16,
  int8,
  LocalSGD,
  nesterov,
  powerSgd,
  ShardedDataParallel,
  selectBackend,
  sharedMemory,
  Trainer,
  topK,
  warmupCosine,
} from 'dcml'
import { findMnist, sources } from 'dcml/node'
import { beforeAll, describe, expect, it } from 'vitest'

const EPOCHS = 2
const BATCH = 64
const STEPS = EPOCHS * Math.ceil(60_000 / BATCH)
const WORKERS = 2

const { dir, tried } = await findMnist()
if (!dir) console.log(`Skipped: strategies on MNIST. ${tried.join('; ')}`)

async function mnist(split: 'train' | 'test'): Promise<Dataset> {
  const { x, y } = await (await sources.mnist({ dir: dir!, split })).columns()
  const pixels = Float32Array.from(x!.data as Uint8Array, (pixel) => pixel / 255)
  return Dataset.fromArrays({ x: { data: pixels, shape: x!.shape }, y: y! })
}

/** Two convolutions and two dense layers: 212,426 parameters. */
function network(): tfl.LayersModel {
  const kernelInitializer = (seed: number) => tfl.initializers.glorotUniform({ seed })
  const convolution = (filters: number, seed: number) =>
    tfl.layers.conv2d({
      filters,
      kernelSize: 3,
      activation: 'relu',
      kernelInitializer: kernelInitializer(seed),
      ...(seed === 1 ? { inputShape: [28, 28, 1] } : {}),
    })
  return tfl.sequential({
    layers: [
      convolution(16, 1),
      tfl.layers.maxPooling2d({ poolSize: 2 }),
      convolution(32, 2),
      tfl.layers.maxPooling2d({ poolSize: 2 }),
      tfl.layers.flatten(),
      tfl.layers.dense({ units: 256, activation: 'relu', kernelInitializer: kernelInitializer(3) }),
      tfl.layers.dense({ units: 10, activation: 'softmax', kernelInitializer: kernelInitializer(4) }),
    ],
  })
}

let train: Dataset
let test: Dataset
let whole: Result

interface Result {
  /** Percent of the test images. */
  accuracy: number
  /** Megabytes that the first worker sent. */
  megabytes: number
}

async function run(strategy: DistributedStrategy): Promise<Result> {
  const model = network()
  const trainer = new Trainer({
    model,
    loss: 'sparseCategoricalCrossentropy',
    optimizer: adam({ learningRate: warmupCosine(1e-3, { warmupSteps: 100, steps: STEPS }) }),
    metrics: ['accuracy'],
    strategy,
    seed: 1,
  })
  const { workers, epochs } = await trainer.fit(train, { epochs: EPOCHS, batchSize: BATCH, validation: test })
  await trainer.close()
  model.dispose()
  return { accuracy: 100 * epochs.at(-1)!.val_accuracy!, megabytes: workers![0]!.sentBytes / 1e6 }
}

describe.skipIf(!dir)('strategies on MNIST', () => {
  beforeAll(async () => {
    await selectBackend()
    train = await mnist('train')
    test = await mnist('test')
    whole = await run(new DataParallel({ workers: WORKERS, transport: sharedMemory({ native: false }) }))
    console.log(`uncompressed: ${whole.accuracy.toFixed(2)} %, ${whole.megabytes.toFixed(1)} MB`)
  }, 1_800_000)

  it.each<[string, () => DistributedStrategy, { factor: number; points: number }]>([
    ['float16', () => compressed(float16()), { factor: 1.9, points: 0.3 }],
    ['bfloat16', () => compressed(bfloat16()), { factor: 1.9, points: 0.3 }],
    ['int8', () => compressed(int8()), { factor: 3.9, points: 0.3 }],
    ['top-k of 1 %', () => compressed(topK({ ratio: 0.01 })), { factor: 40, points: 0.3 }],
    ['PowerSGD of rank 2', () => compressed(powerSgd({ rank: 2 })), { factor: 40, points: 0.3 }],
    [
      'DiLoCo, every 50 steps',
      () => new LocalSGD({ workers: WORKERS, everySteps: 50, outer: nesterov() }),
      { factor: 45, points: 0.5 },
    ],
    [
      'local SGD, every 50 steps',
      () => new LocalSGD({ workers: WORKERS, everySteps: 50 }),
      { factor: 45, points: 0.5 },
    ],
    ['ZeRO 2', () => new ShardedDataParallel({ workers: WORKERS, stage: 2 }), { factor: 0.9, points: 0.3 }],
  ])('%s cuts the traffic and keeps the accuracy', async (name, create, { factor, points }) => {
    const { accuracy, megabytes } = await run(create())
    const cut = whole.megabytes / megabytes
    console.log(`${name}: ${accuracy.toFixed(2)} %, ${megabytes.toFixed(1)} MB, ${cut.toFixed(1)} times less`)
    expect(cut).toBeGreaterThan(factor)
    expect(accuracy).toBeGreaterThan(whole.accuracy - points)
  })
})

const compressed = (compression: ReturnType<typeof float16>) => new DataParallel({ workers: WORKERS, compression })
