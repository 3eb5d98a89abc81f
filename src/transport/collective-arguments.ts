/** What all collectives ask of their arguments. @module */

import { ConfigError, ShapeError } from '../core/index.js'
import { type Reducible, type Shard, shareOf } from './collectives.js'

/** A new array of the class of another. */
export function emptyLike<T extends Reducible>(array: T, length: number): T {
  return new (array.constructor as new (length: number) => T)(length)
}

/**
 * The array for what `allGather` gathers.
 *
 * @throws {ShapeError} if the caller's own has another length.
 */
export function gatheredInto<T extends Reducible>(array: T, length: number, into: T = emptyLike(array, length)): T {
  if (into.length === length) return into
  throw new ShapeError('The array for what allGather gathers does not have its length.', {
    expected: length,
    received: into.length,
  })
}

/** @throws {ShapeError} if `allToAll` has not one array for each rank. */
export function checkParts({ length }: readonly Reducible[], worldSize: number): void {
  if (length !== worldSize)
    throw new ShapeError('allToAll needs one array for each rank.', { expected: worldSize, received: length })
}

/** @throws {ConfigError} if the shards for `allReduceShards` are not those that the rank holds. */
export function checkShards(
  shards: readonly Shard[],
  total: number,
  { rank, worldSize }: { rank: number; worldSize: number },
): void {
  const { start, end } = shareOf(total, rank, worldSize)
  if (shards.length === end - start && shards.every(({ shard }, i) => shard === start + i)) return
  throw new ConfigError(`Rank ${rank} does not hold its shards of a sum.`, {
    expected: `${end - start} of ${total} shards, from ${start}`,
    received: shards.map(({ shard }) => shard),
  })
}
