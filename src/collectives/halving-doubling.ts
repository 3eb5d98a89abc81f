/** Recursive doubling, and recursive halving and doubling: the steps of a tree, with less to wait for. @module */

import { combineInto, divideMean, type ReduceOperation, type Reducible, shareOf } from '../transport/index.js'
import { foldDistances } from './fold.js'
import type { Messages } from './messages.js'

type AllReduce = (messages: Messages, array: Reducible, op: ReduceOperation) => Promise<void>

/**
 * Combines the arrays of all ranks, in place: pairs exchange all that they have. For short arrays.
 *
 * @see Thakur, Rabenseifner and Gropp 2005, section 4.4, https://doi.org/10.1177/1094342005051521
 */
export const doublingAllReduce: AllReduce = (messages, array, op) =>
  onPowerOfTwo(messages, { array, op }, async (power) => {
    for (const distance of foldDistances(power)) {
      const peer = messages.rank ^ distance
      const theirs = messages.scratch(array, array.length)
      messages.send(peer, array)
      await messages.receive(peer, theirs)
      // What is on its way to the peer must not change.
      await messages.settle()
      combineInto(op, array, array, theirs)
    }
    divideMean(op, array, messages.worldSize)
  })

/**
 * Combines the arrays of all ranks, in place: pairs exchange halves, then halves of halves, and back. For long arrays.
 *
 * @see Thakur, Rabenseifner and Gropp 2005, section 4.5, https://doi.org/10.1177/1094342005051521
 */
export const halvingDoublingAllReduce: AllReduce = (messages, array, op) =>
  onPowerOfTwo(messages, { array, op }, async (power) => {
    const { rank, worldSize } = messages
    const distances = foldDistances(power)
    // The shares that a rank still works on: those of the ranks that it has not met yet.
    const range = (of: number, size: number) => {
      const first = of - (of % size)
      return array.subarray(
        shareOf(array.length, first, power).start,
        shareOf(array.length, first + size - 1, power).end,
      )
    }
    for (const distance of distances) {
      const peer = rank ^ distance
      messages.send(peer, range(peer, distance))
      await messages.combine(peer, range(rank, distance), { op })
    }
    divideMean(op, range(rank, 1), worldSize)
    for (const distance of distances.reverse()) {
      const peer = rank ^ distance
      messages.send(peer, range(rank, distance))
      await messages.receive(peer, range(peer, distance))
    }
  })

/** Ranks beyond the largest power of two hand theirs to a partner first and get the result from it at the end. */
async function onPowerOfTwo(
  messages: Messages,
  { array, op }: { array: Reducible; op: ReduceOperation },
  allReduce: (power: number) => Promise<void>,
): Promise<void> {
  const { rank, worldSize } = messages
  const power = 2 ** Math.floor(Math.log2(worldSize))
  if (rank >= power) {
    messages.send(rank - power, array)
    return messages.receive(rank - power, array)
  }
  const partner = rank + power
  if (partner < worldSize) await messages.combine(partner, array, { op })
  await allReduce(power)
  if (partner < worldSize) messages.send(partner, array)
}
