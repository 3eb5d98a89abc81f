/** One pass over a dataset: where it begins, and which epoch it is. @module */

import { checkWhole } from '../core/index.js'
import { type ColumnStream, sliceStream } from './stream.js'

/** Where a pass over a dataset begins. */
export interface Pass {
  /** Rows that are left out at the start. */
  fromRow: number
  /** Number of the epoch, from 0: what is shuffled anew in each has an order for each. */
  epoch: number
}

/** A pass over all. */
export const WHOLE: Pass = { fromRow: 0, epoch: 0 }

/** What makes the stream of a pass, which begins at `fromRow`. */
export type Opener = (pass: Pass) => ColumnStream

/** Begins in the middle of what can only be read from its start: reads what is before, and leaves it out. */
export const skippingForward =
  (open: (epoch: number) => ColumnStream): Opener =>
  ({ fromRow, epoch }) =>
    fromRow === 0 ? open(epoch) : sliceStream(open(epoch), fromRow, Number.POSITIVE_INFINITY)

/**
 * The same where a pass may begin only at every `size`-th row, since what happens to a row depends on those around it.
 */
export const fromMultiples =
  (size: number, open: Opener): Opener =>
  ({ fromRow, epoch }) => {
    const before = fromRow % size
    const stream = open({ fromRow: fromRow - before, epoch })
    return before === 0 ? stream : sliceStream(stream, before, Number.POSITIVE_INFINITY)
  }

/** @throws {ConfigError} if a number is none of a row or epoch. */
export function checkPass({ fromRow = 0, epoch = 0 }: Partial<Pass>): Pass {
  checkWhole('fromRow of a pass', fromRow, 0)
  checkWhole('epoch of a pass', epoch, 0)
  return { fromRow, epoch }
}
