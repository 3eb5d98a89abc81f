import * as tfl from '@tensorflow/tfjs-layers'
import {
  adam,
  type Callback,
  CustomStrategy,
  checkpoint,
  DataParallel,
  Dataset,
  type DistributedStrategy,
  datasets,
  type History,
  LocalSGD,
  lamb,
  memory,
  nesterov,
  ParameterServer,
  powerSgd,
  ShardedDataParallel,
  SingleWorker,
  type Store,
  selectBackend,
  sharedMemory,
  Trainer,
  type TrainerOptions,
} from 'dcml'
import { beforeAll, describe, expect, it } from 'vitest'

beforeAll(async () => {
  await selectBackend()
})

const WORKERS = 2

async function digits(count: number): Promise<Dataset> {
  const { x, y } = await datasets.syntheticDigits({ count, seed: 5 }).columns()
  const pixels = Float32Array.from(x!.data as Uint8Array, (pixel) => pixel / 255)
  return Dataset.fromArrays({ x: { data: pixels, shape: [count, 784] }, y: y! })
}

/** 330 rows in batches of 33: they split unevenly. */
async function train(
  strategy: DistributedStrategy,
  { epochs = 4, resumeFrom, ...options }: Partial<TrainerOptions> & { epochs?: number; resumeFrom?: Store } = {},
): Promise<{ weights: Float32Array[]; history: History }> {
  const kernelInitializer = () => tfl.initializers.glorotUniform({ seed: 11 })
  const model = tfl.sequential({
    layers: [
      tfl.layers.dense({ units: 24, activation: 'relu', inputShape: [784], kernelInitializer: kernelInitializer() }),
      tfl.layers.dense({ units: 10, activation: 'softmax', kernelInitializer: kernelInitializer() }),
    ],
  })
  const trainer = new Trainer({
    model,
    loss: 'sparseCategoricalCrossentropy',
    optimizer: adam({ learningRate: 1e-3 }),
    strategy,
    seed: 3,
    ...options,
  } as TrainerOptions)
  const history = await trainer.fit(await digits(330), { epochs, batchSize: 33, ...(resumeFrom ? { resumeFrom } : {}) })
  await trainer.close()
  return { weights: model.getWeights().map((weight) => Float32Array.from(weight.dataSync())), history }
}

function difference(a: Float32Array[], b: Float32Array[]): number {
  return Math.max(
    ...a.map((values, i) => Math.hypot(...values.map((value, j) => value - b[i]![j]!)) / (Math.hypot(...b[i]!) || 1)),
  )
}

const strategies: Record<string, (transport?: ReturnType<typeof sharedMemory>) => DistributedStrategy> = {
  'ZeRO 1': (transport = sharedMemory()) => new ShardedDataParallel({ stage: 1, workers: WORKERS, transport }),
  'ZeRO 2': (transport = sharedMemory()) => new ShardedDataParallel({ stage: 2, workers: WORKERS, transport }),
  PowerSGD: (transport = sharedMemory()) => new DataParallel({ compression: powerSgd(), workers: WORKERS, transport }),
  DiLoCo: (transport = sharedMemory()) =>
    new LocalSGD({ everySteps: 4, outer: nesterov(), workers: WORKERS, transport }),
}

describe.each(Object.entries(strategies))('%s on worker threads', (name, create) => {
  it('gives the same weights over native collectives and over messages', async () => {
    const native = await train(create())
    const messages = await train(create(sharedMemory({ native: false })))
    expect(difference(messages.weights, native.weights)).toBeLessThan(1e-5)
    if (name.startsWith('ZeRO'))
      expect(difference(native.weights, (await train(new SingleWorker())).weights)).toBeLessThan(1e-5)
  })

  it('goes on from a checkpoint with the same bits', async () => {
    const store = memory()
    const save = (): Callback[] => [checkpoint({ store, keepBest: 9 })]
    await train(create(), { epochs: 2, callbacks: save() })
    const resumed = await train(create(), { epochs: 4, callbacks: save(), resumeFrom: store })
    const undisturbed = await train(create(), { epochs: 4, callbacks: [checkpoint({ store: memory(), keepBest: 9 })] })
    expect(resumed.weights).toEqual(undisturbed.weights)
  })
})

describe("a strategy of one's own", () => {
  const setup = new URL('../fixtures/mesh-strategy.mjs', import.meta.url)

  it('adds up along the sides of a mesh of 2 x 2 workers', async () => {
    const strategy = new CustomStrategy({ member: 'meshMember', options: [2, 2], workers: 4 })
    const { weights } = await train(strategy, { setup })
    expect(difference(weights, (await train(new SingleWorker())).weights)).toBeLessThan(1e-5)
  })

  it('is to be an export of setup', async () => {
    const strategy = new CustomStrategy({ member: 'meshes', workers: 2 })
    await expect(train(strategy, { setup })).rejects.toThrow(/'meshes' is not an export.*one of meshMember/)
  })
})

describe('what workers hold and send', () => {
  it('is a share of the slots with ZeRO', async () => {
    const [all] = (await train(new DataParallel({ workers: WORKERS, transport: sharedMemory({ native: false }) })))
      .history.workers!
    for (const { memory } of (await train(strategies['ZeRO 1']!())).history.workers!)
      expect(memory.slots / all!.memory.slots).toBeCloseTo(1 / WORKERS, 3)
  })

  it('is seldom something with LocalSGD', async () => {
    const [often] = (await train(new LocalSGD({ workers: WORKERS, everySteps: 1 }))).history.workers!
    const [seldom] = (await train(new LocalSGD({ workers: WORKERS, everySteps: 10 }))).history.workers!
    expect(often!.sentBytes).toBeGreaterThan(2 * seldom!.sentBytes)
  })
})

describe('ParameterServer on worker threads', () => {
  it.each([0, 3])('learns with a staleness of %i', async (staleness) => {
    const { history } = await train(new ParameterServer({ workers: WORKERS, staleness }), { epochs: 9 })
    expect(history.epochs.at(-1)!.loss).toBeLessThan(0.7 * history.epochs[0]!.loss)
  })
})

describe('what strategies refuse', () => {
  it('buckets of compressed gradients', () => {
    expect(() => new DataParallel({ bucketBytes: 64, compression: powerSgd() })).toThrow(/all at once/)
  })

  it('a rule that needs whole tensors where workers own parts of them', async () => {
    await expect(train(strategies['ZeRO 2']!(), { optimizer: lamb() })).rejects.toThrow(/needs whole tensors/)
  })

  it('the same weights on any number of workers where they train alone', async () => {
    await expect(train(strategies.DiLoCo!(), { deterministic: { logicalShards: 4 } })).rejects.toThrow(/deterministic/)
  })
})
