/** A binomial tree: few steps for short arrays, and few messages. @module */

import { divideMean, type ReduceOperation, type Reducible } from '../transport/index.js'
import { foldDistances } from './fold.js'
import type { Messages } from './messages.js'

/** Combines the arrays of all ranks into that of rank 0. Those of the others hold partial results. */
export async function treeReduce(messages: Messages, array: Reducible, op: ReduceOperation): Promise<void> {
  const { rank, worldSize } = messages
  for (const distance of foldDistances(worldSize)) {
    if (rank >= distance) return messages.send(rank - distance, array)
    if (rank + distance < Math.min(worldSize, 2 * distance)) await messages.combine(rank + distance, array, { op })
  }
  divideMean(op, array, worldSize)
}

/** Copies the array of `root` to all ranks, each piece as soon as it is there. */
export async function treeBroadcast(messages: Messages, array: Reducible, root: number): Promise<void> {
  const { worldSize } = messages
  const place = messages.after(-root)
  const rankAt = (other: number) => (other + root) % worldSize
  const distances = foldDistances(worldSize)
  /** The place that this one hears from is its own without the lowest bit; it tells those below that bit. */
  const lowest = place & -place
  const children = distances.filter((distance) => (place === 0 || distance < lowest) && place + distance < worldSize)
  const tell = (piece: Reducible) => {
    for (const distance of children) messages.send(rankAt(place + distance), piece)
  }
  if (place === 0) tell(array)
  else await messages.receive(rankAt(place - lowest), array, tell)
}

/** Combines the arrays of all ranks, in place. */
export async function treeAllReduce(messages: Messages, array: Reducible, op: ReduceOperation): Promise<void> {
  await treeReduce(messages, array, op)
  await treeBroadcast(messages, array, 0)
}
