import { beforeAll, describe, expect, it } from 'vitest'
import { selectBackend } from '../../../src/backends/index.js'
import {
  DataParallel,
  type GroupStrategy,
  int8,
  ParameterServer,
  ShardedDataParallel,
} from '../../../src/distributed/index.js'
import { classifierCrew } from './member-crew.js'

beforeAll(async () => {
  await selectBackend({ prefer: ['wasm'] })
})

const ROWS = 24
const MODEL = { rows: ROWS, features: 12, units: 8 }

/** Bytes that each of two workers sends for an update of so many batches, once the way to add up is chosen. */
async function sent(strategy: GroupStrategy, batches: number): Promise<number[]> {
  const { crew, train } = await classifierCrew(strategy, MODEL)
  const bytes = async () => (await crew.usage()).map(({ sentBytes }) => sentBytes)
  await train(1, ROWS / batches, batches)
  const before = await bytes()
  const records = await train(2, ROWS / batches, batches)
  const after = await bytes()
  await crew.close()
  expect(records.map(({ length }) => length)).toEqual([1, 1])
  return after.map((total, rank) => total - before[rank]!)
}

describe('gradients of several batches', () => {
  it.each<[string, () => GroupStrategy]>([
    ['DataParallel', () => new DataParallel({ workers: 2 })],
    ['DataParallel in buckets', () => new DataParallel({ workers: 2, bucketBytes: 128 })],
    ['DataParallel with int8', () => new DataParallel({ workers: 2, compression: int8() })],
    ['ZeRO 1', () => new ShardedDataParallel({ workers: 2, stage: 1 })],
    ['ParameterServer', () => new ParameterServer({ workers: 2, staleness: 0 })],
  ])('travel once, as those of one batch do: %s', async (_, create) => {
    expect(await sent(create(), 4)).toEqual(await sent(create(), 1))
  })

  it('travel batch by batch with ZeRO 2, whose workers do not keep them', async () => {
    const create = () => new ShardedDataParallel({ workers: 2, stage: 2 })
    // The same weights come back, and the same sums are added up, once in an update.
    const gradients = ((await sent(create(), 4))[0]! - (await sent(create(), 1))[0]!) / 3
    // Kernels and biases; each begins at a multiple of 4.
    const parameters = 12 * 8 + 8 + 8 * 10 + 12
    expect(gradients).toBe((4 * parameters) / 2)
  })
})
