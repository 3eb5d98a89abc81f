/** All-reduce around a ring: for long arrays, since every rank sends only twice the array. @module */

import { type ReduceOperation, type Reducible, shareOf, type Transport } from '../transport/index.js'
import { combineInto, exchange } from './messages.js'

/**
 * Leaves share `r` of the combined array on rank `r`; the other shares hold partial results.
 *
 * @see Patarasuk and Yuan 2009, https://doi.org/10.1016/j.jpdc.2008.09.002
 */
export async function ringReduceScatter(transport: Transport, array: Reducible, op: ReduceOperation): Promise<void> {
  const { rank, worldSize } = transport
  for (let step = 1; step < worldSize; step++) {
    const { to, from } = neighbours(transport)
    // A share starts one rank after its owner and goes once round.
    const sent = share(array, rank - step, worldSize)
    combineInto(op, share(array, rank - step - 1, worldSize), await exchange(transport, { to, from, array: sent }))
  }
}

/** Spreads the shares from their owners to all. */
export async function ringAllGather(transport: Transport, array: Reducible): Promise<void> {
  const { rank, worldSize } = transport
  for (let step = 0; step < worldSize - 1; step++) {
    const { to, from } = neighbours(transport)
    const sent = share(array, rank - step, worldSize)
    share(array, rank - step - 1, worldSize).set(await exchange(transport, { to, from, array: sent }))
  }
}

/** Combines the arrays of all ranks, in place. */
export async function ringAllReduce(transport: Transport, array: Reducible, op: ReduceOperation): Promise<void> {
  await ringReduceScatter(transport, array, op)
  await ringAllGather(transport, array)
}

function neighbours({ rank, worldSize }: Transport) {
  return { to: (rank + 1) % worldSize, from: (rank - 1 + worldSize) % worldSize }
}

function share(array: Reducible, part: number, parts: number): Reducible {
  const { start, end } = shareOf(array.length, ((part % parts) + parts) % parts, parts)
  return array.subarray(start, end)
}
