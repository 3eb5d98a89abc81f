import { describe, expect, it } from 'vitest'
import { createCollectives } from '../../../src/collectives/index.js'
import { CountedTransport } from '../../../src/distributed/counted-transport.js'
import { type Collectives, memoryTransports } from '../../../src/transport/index.js'

const RANKS = 3
const LENGTH = 30

/** Bytes that rank 0 counts, where the transport has collectives of its own. */
async function sent(run: (native: Collectives, rank: number) => Promise<unknown>): Promise<number> {
  const counted = memoryTransports(RANKS).map(
    (end) => new CountedTransport(Object.assign(end, { native: createCollectives(end) }), { native: true }),
  )
  await Promise.all(counted.map(({ native }, rank) => run(native!, rank)))
  return counted[0]!.sentBytes
}

describe('CountedTransport', () => {
  it('counts for native collectives what a ring would send', async () => {
    const bytes = (4 * LENGTH * 2 * (RANKS - 1)) / RANKS
    expect(await sent((native) => native.allReduce(new Float32Array(LENGTH)))).toBe(bytes)
    const shards = (rank: number) => [{ shard: rank, values: new Float32Array(LENGTH) }]
    expect(await sent((native, rank) => native.allReduceShards(shards(rank), RANKS, new Float32Array(LENGTH)))).toBe(
      bytes,
    )
  })

  it('counts the parts for others of allToAll', async () => {
    const parts = (rank: number) => Array.from({ length: RANKS }, (_, to) => new Float32Array(1 + rank + to))
    expect(await sent((native, rank) => native.allToAll(parts(rank)))).toBe(4 * (2 + 3))
  })
})
