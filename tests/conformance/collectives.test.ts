import { describe, expect, it } from 'vitest'
import { createCollectives } from '../../src/collectives/index.js'
import { runCollectivesCase, testCollectives } from '../../src/testing/collectives.js'
import { memoryTransports, sharedMemory } from '../../src/transport/index.js'

for (const algorithm of ['auto', 'ring', 'tree', 'halving-doubling'] as const)
  describe(`messages in memory, ${algorithm}`, () => {
    const run = (name: string, worldSize: number) =>
      Promise.all(
        memoryTransports(worldSize).map((end) => runCollectivesCase(name, createCollectives(end, { algorithm }), end)),
      )
    const subject = { worldSizes: [1, 2, 3, 4, 5, 7, 8], run }
    for (const { name, run: holds } of testCollectives(subject)) it(name, holds)
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
