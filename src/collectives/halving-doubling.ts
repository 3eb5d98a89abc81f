/** Recursive halving and doubling: the traffic of a ring in the steps of a tree. @module */

import { type ReduceOperation, type Reducible, shareOf, type Transport } from '../transport/index.js'
import { combineInto, exchange, receiveArray, sendArray } from './messages.js'

/**
 * Combines the arrays of all ranks, in place. Ranks beyond the largest power of two hand theirs to a partner first and
 * get the result from it at the end.
 *
 * @see Thakur, Rabenseifner and Gropp 2005, section 4.5, https://doi.org/10.1177/1094342005051521
 */
export async function halvingDoublingAllReduce(
  transport: Transport,
  array: Reducible,
  op: ReduceOperation,
): Promise<void> {
  const { rank, worldSize } = transport
  let power = 1
  while (power * 2 <= worldSize) power *= 2
  if (rank >= power) {
    await sendArray(transport, rank - power, array)
    array.set(await receiveArray(transport, rank - power, array))
    return
  }
  const partner = rank + power
  if (partner < worldSize) combineInto(op, array, await receiveArray(transport, partner, array))

  // The shares that this rank still works on: [first, first + count).
  const shares = (first: number, count: number) =>
    array.subarray(shareOf(array.length, first, power).start, shareOf(array.length, first + count - 1, power).end)
  const first = (count: number) => rank - (rank % count)
  for (let count = power / 2; count >= 1; count /= 2) {
    const peer = rank ^ count
    const theirs = shares(peer - (peer % count), count)
    combineInto(op, shares(first(count), count), await exchange(transport, { to: peer, from: peer, array: theirs }))
  }
  for (let count = 1; count < power; count *= 2) {
    const peer = rank ^ count
    const mine = shares(first(count), count)
    shares(peer - (peer % count), count).set(await exchange(transport, { to: peer, from: peer, array: mine }))
  }

  if (partner < worldSize) await sendArray(transport, partner, array)
}
