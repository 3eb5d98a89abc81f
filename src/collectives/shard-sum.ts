/** The sum of numbered shards in a fixed tree, over messages. @module */

import { treeSum } from '../core/index.js'
import { combineInto, type Shard, shareOf } from '../transport/index.js'
import { type Messages, shareOfArray } from './messages.js'

/**
 * Every rank gets all shards of its share of the elements, adds them up in the tree over shard numbers, and then the
 * shares are gathered: the same bits for any number of ranks.
 */
export async function sumShards(
  messages: Messages,
  { shards, total, into }: { shards: readonly Shard[]; total: number; into: Float32Array },
): Promise<void> {
  const { rank, worldSize } = messages
  const peers = messages.peers()
  for (const peer of peers) for (const { values } of shards) messages.send(peer, shareOfArray(values, peer, worldSize))

  const own = shareOfArray(into, rank, worldSize)
  const parts = Array.from({ length: total }, (_, shard) => messages.scratch(own, own.length, shard))
  for (const { shard, values } of shards) parts[shard]!.set(shareOfArray(values, rank, worldSize))
  await Promise.all(
    peers.map(async (peer) => {
      const { start, end } = shareOf(total, peer, worldSize)
      for (let shard = start; shard < end; shard++) await messages.receive(peer, parts[shard]!)
    }),
  )
  own.set(treeSum(parts, (sum, other) => combineInto('sum', sum, sum, other)))
  for (const peer of peers) messages.send(peer, own)
  await Promise.all(peers.map((peer) => messages.receive(peer, shareOfArray(into, peer, worldSize))))
}
