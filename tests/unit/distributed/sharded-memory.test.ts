import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { selectBackend } from '../../../src/backends/index.js'
import { DataParallel, type GroupStrategy, ShardedDataParallel } from '../../../src/distributed/index.js'
import { classifierCrew } from './member-crew.js'

beforeAll(async () => {
  await selectBackend({ prefer: ['wasm'] })
})

const WORKERS = 4
const ROWS = 32

const bytesInUse = () => (tf.memory() as tf.MemoryInfo & { numBytesInWasm: number }).numBytesInWasm

/** What a worker of four says that it holds of gradients and slots, and what all take in the memory of the kernels. */
async function hold(strategy: GroupStrategy): Promise<{ told: number; taken: number }> {
  const before = bytesInUse()
  const { crew, train } = await classifierCrew(strategy, { rows: ROWS, features: 784, units: 256 })
  for (let step = 1; step <= 3; step++) await train(step, ROWS)
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
