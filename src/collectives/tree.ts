/** A binomial tree: the fewest steps for short arrays on any number of ranks. @module */

import type { ReduceOperation, Reducible, Transport } from '../transport/index.js'
import { combineInto, receiveArray, sendArray } from './messages.js'

/** Combines the arrays of all ranks into that of rank 0. Those of the others hold partial results. */
async function treeReduce(transport: Transport, array: Reducible, op: ReduceOperation): Promise<void> {
  const { rank, worldSize } = transport
  for (let distance = 1; distance < worldSize; distance *= 2) {
    if (rank % (2 * distance) === distance) return sendArray(transport, rank - distance, array)
    if (rank + distance < worldSize) combineInto(op, array, await receiveArray(transport, rank + distance, array))
  }
}

/** Copies the array of `root` to all ranks. */
export async function treeBroadcast(transport: Transport, array: Reducible, root: number): Promise<void> {
  const { rank, worldSize } = transport
  const place = (rank - root + worldSize) % worldSize
  const rankAt = (other: number) => (other + root) % worldSize
  let distance = 1
  while (distance < worldSize) distance *= 2
  for (distance /= 2; distance >= 1; distance /= 2) {
    if (place % (2 * distance) === distance) array.set(await receiveArray(transport, rankAt(place - distance), array))
    else if (place % (2 * distance) === 0 && place + distance < worldSize)
      await sendArray(transport, rankAt(place + distance), array)
  }
}

/** Combines the arrays of all ranks, in place. */
export async function treeAllReduce(transport: Transport, array: Reducible, op: ReduceOperation): Promise<void> {
  await treeReduce(transport, array, op)
  await treeBroadcast(transport, array, 0)
}
