import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { selectBackend } from '../../../src/backends/index.js'
import { Random } from '../../../src/core/index.js'
import { DataParallel, type GroupStrategy, ShardedDataParallel } from '../../../src/distributed/index.js'
import { namedWeights, serializeTopology } from '../../../src/models/index.js'
import { adam, describeOptimizer } from '../../../src/optimizers/index.js'
import { MemberCrew } from '../../../src/testing/member-crew.js'

beforeAll(async () => {
  await selectBackend({ prefer: ['wasm'] })
})

const WORKERS = 4
const ROWS = 32
const FEATURES = 784

const bytesInUse = () => (tf.memory() as tf.MemoryInfo & { numBytesInWasm: number }).numBytesInWasm

/** What a worker of four says that it holds of gradients and slots, and what all take in the memory of the kernels. */
async function hold(strategy: GroupStrategy): Promise<{ told: number; taken: number }> {
  const model = tfl.sequential({
    layers: [
      tfl.layers.dense({ units: 256, activation: 'relu', inputShape: [FEATURES] }),
      tfl.layers.dense({ units: 10, activation: 'softmax' }),
    ],
  })
  const weights = Object.fromEntries(
    namedWeights(model).map(({ name, variable }) => [name, Float32Array.from(variable.dataSync())]),
  )
  const topology = serializeTopology(model)
  model.dispose()
  const before = bytesInUse()
  const crew = await MemberCrew.start(
    {
      model: { topology },
      loss: 'sparseCategoricalCrossentropy',
      metrics: [],
      optimizer: describeOptimizer(adam()),
      engine: 'captured',
      seed: 1,
      backend: 'wasm',
      columns: { features: 'x', target: 'y' },
    },
    weights,
    { description: strategy.description, workers: WORKERS },
  )
  const random = new Random(1)
  const x = Float32Array.from({ length: ROWS * FEATURES }, () => random.normal())
  const y = Int32Array.from({ length: ROWS }, (_, row) => row % 10)
  await crew.setData('train', { x: { data: x, shape: [ROWS, FEATURES] }, y: { data: y, shape: [ROWS] } })
  const order = Uint32Array.from({ length: ROWS }, (_, row) => row)
  for (let firstStep = 1; firstStep <= 3; firstStep++)
    await crew.train({ data: 'train', order, from: 0, to: ROWS, batchSize: ROWS, accumulateSteps: 1, firstStep })
  const taken = bytesInUse() - before
  const told = (await crew.usage()).map(({ memory }) => memory.gradients + memory.slots)
  await crew.close()
  return { told: Math.max(...told), taken }
}

describe('memory of ZeRO on 4 workers, for gradients and the slots of Adam', () => {
  it('is half of it in stage 1, and below 0.3 in stage 2', async () => {
    const whole = await hold(new DataParallel({ workers: WORKERS }))
    const first = await hold(new ShardedDataParallel({ workers: WORKERS, stage: 1 }))
    const second = await hold(new ShardedDataParallel({ workers: WORKERS, stage: 2 }))
    const smallest = await hold(new ShardedDataParallel({ workers: WORKERS, stage: 2, bucketBytes: 16_384 }))
    expect(first.told / whole.told).toBeCloseTo(0.5, 3)
    expect(second.told / whole.told).toBeLessThan(0.3)
    expect(smallest.told / whole.told).toBeLessThan(0.26)
    // What is told to be saved is not taken elsewhere. The allocator rounds up by a quarter at most.
    for (const { told, taken } of [first, second, smallest])
      expect(whole.taken - taken).toBeGreaterThan(0.75 * WORKERS * (whole.told - told))
  })
})
