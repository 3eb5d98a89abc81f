/**
 * The order in which ranks are combined: the upper half of them into the lower, until one is left.
 *
 * Tree, doubling, halving-doubling and direct exchange all follow it, so that their results have the same bits and it
 * may depend on a measurement which of them is taken.
 * @module
 */

import { combineInto, type ReduceOperation, type Reducible } from '../transport/index.js'

/** The distances over which `count` ranks are folded: the largest power of two below `count`, then its halves. */
export function foldDistances(count: number): number[] {
  const distances: number[] = []
  for (let distance = 1; distance < count; distance *= 2) distances.unshift(distance)
  return distances
}

/** Combines the ranks' arrays into `into`, which may be one of them. Overwrites all of them. */
export function fold(op: ReduceOperation, parts: readonly Reducible[], into: Reducible): void {
  if (parts.length === 1) into.set(parts[0]!)
  let { length } = parts
  for (const distance of foldDistances(length)) {
    for (let i = 0; i + distance < length; i++)
      combineInto(op, distance === 1 ? into : parts[i]!, parts[i]!, parts[i + distance]!)
    length = distance
  }
}
