/** The sum of numbered shards in a fixed tree, over messages. @module */

import { ConfigError, treeSum } from '../core/index.js'
import { type Shard, shareOf, type Transport } from '../transport/index.js'
import { exchange } from './messages.js'
import { ringAllGather } from './ring.js'

/**
 * Every rank gets all shards of its share of the elements, adds them up in the tree over shard numbers, and then the
 * shares are gathered: the same bits for any number of ranks.
 */
export async function sumShards(
  transport: Transport,
  { shards, total, into }: { shards: readonly Shard[]; total: number; into: Float32Array },
): Promise<void> {
  const { rank, worldSize } = transport
  const own = shareOf(into.length, rank, worldSize)
  const parts: Float32Array[] = []
  const numbers = Int32Array.from(shards, ({ shard }) => shard)
  for (let step = 0; step < worldSize; step++) {
    const to = (rank + step) % worldSize
    const from = (rank - step + worldSize) % worldSize
    const share = shareOf(into.length, to, worldSize)
    const sent = new Float32Array(shards.length * (share.end - share.start))
    shards.forEach(({ values }, i) => {
      sent.set(values.subarray(share.start, share.end), i * (share.end - share.start))
    })
    const [theirNumbers, theirs] =
      step === 0
        ? [numbers, sent]
        : [
            await exchange(transport, { to, from, array: numbers }),
            await exchange(transport, { to, from, array: sent }),
          ]
    const length = own.end - own.start
    theirNumbers.forEach((shard, i) => {
      parts[shard] = theirs.subarray(i * length, (i + 1) * length)
    })
  }
  for (let shard = 0; shard < total; shard++)
    if (!parts[shard])
      throw new ConfigError('A shard of a sum was given by no rank.', {
        expected: `0 to ${total - 1}`,
        received: shard,
      })
  into.set(treeSum(parts), own.start)
  await ringAllGather(transport, into)
}
