/** All-reduce around a ring: every rank speaks to two others only. @module */

import { divideMean, type ReduceOperation, type Reducible } from '../transport/index.js'
import { type Messages, shareOfArray } from './messages.js'

/**
 * Combines the arrays of all ranks, in place. A piece goes on to the next rank as soon as it is combined.
 *
 * @see Patarasuk and Yuan 2009, https://doi.org/10.1016/j.jpdc.2008.09.002
 */
export async function ringAllReduce(messages: Messages, array: Reducible, op: ReduceOperation): Promise<void> {
  const { worldSize } = messages
  const [next, last] = [messages.after(1), messages.after(-1)]
  const share = (distance: number) => shareOfArray(array, messages.after(-distance), worldSize)

  // A share starts one rank after its owner and goes once round; the owner divides it, and it goes round again.
  if (worldSize > 1) messages.send(next, share(1))
  for (let step = 1; step < worldSize; step++)
    await messages.combine(last, share(step + 1), {
      op,
      onPiece(piece) {
        if (step === worldSize - 1) divideMean(op, piece, worldSize)
        messages.send(next, piece)
      },
    })
  for (let step = 1; step < worldSize; step++)
    await messages.receive(last, share(step), (piece) => {
      if (step < worldSize - 1) messages.send(next, piece)
    })
}
