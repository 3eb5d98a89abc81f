import { describe, expect, it } from 'vitest'
import { createCollectives, subgroup } from '../../src/collectives/index.js'
import { runCollectivesCase, testCollectives } from '../../src/testing/collectives.js'
import { memoryTransports, sharedMemory } from '../../src/transport/index.js'

const algorithms = ['auto', 'ring', 'tree', 'doubling', 'halving-doubling', 'direct', 'hierarchical'] as const

for (const algorithm of algorithms)
  describe(`messages in memory, ${algorithm}`, () => {
    const run = (name: string, worldSize: number) => {
      // Machines of two ranks, the last rank alone where they are odd: even and uneven groups.
      const groups = Array.from({ length: Math.ceil(worldSize / 2) }, (_, i) => [2 * i, 2 * i + 1]).map((pair) =>
        pair.filter((rank) => rank < worldSize),
      )
      const options = algorithm === 'hierarchical' ? { algorithm, groups } : { algorithm }
      return Promise.all(
        memoryTransports(worldSize).map((end) => runCollectivesCase(name, createCollectives(end, options), end)),
      )
    }
    // What an algorithm does with other sizes and lengths: tests/unit/collectives.
    const subject = { worldSizes: algorithm === 'auto' ? [1, 2, 3, 4, 5, 7, 8] : [2, 5], run }
    for (const { name, run: holds } of testCollectives(subject)) it(name, holds)
  })

describe('a sub-group of messages in memory', () => {
  const run = (name: string, worldSize: number) => {
    // Every other rank, from the last to the first.
    const ranks = Array.from({ length: worldSize }, (_, place) => 2 * (worldSize - place) - 1)
    const ends = memoryTransports(2 * worldSize)
    return Promise.all(
      ranks.map((rank) => {
        const end = subgroup(ends[rank]!, ranks)
        return runCollectivesCase(name, createCollectives(end), end)
      }),
    )
  }
  for (const { name, run: holds } of testCollectives({ worldSizes: [1, 2, 5], run })) it(name, holds)
})

// Native collectives of shared memory block their thread: more ranks than one are in tests/threads.
describe('shared memory, alone', () => {
  const run = async (name: string, worldSize: number) => {
    const factory = sharedMemory()
    const end = await factory.join((await factory.open(worldSize))[0]!)
    await runCollectivesCase(name, createCollectives(end), end)
  }
  for (const { name, run: holds } of testCollectives({ worldSizes: [1], run })) it(name, holds)
})

it('runs no case that the suite does not have', async () => {
  const [end] = memoryTransports(1)
  await expect(runCollectivesCase('sings', createCollectives(end!), end!)).rejects.toThrow(/no such case/)
})
