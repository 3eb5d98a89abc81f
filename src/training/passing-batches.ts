/** The batches of an epoch that workers get one by one: of a stream, or of rows changed at random. @module */

import { type Columns, type Dataset, gatherRows, rowsOf } from '../data/index.js'
import type { Augmentation } from '../preprocess/index.js'
import { epochOrder } from './rows.js'

/** Which batches. */
export interface PassOptions {
  /** Rows of a step. */
  size: number
  /** Steps to leave out at the start. */
  skip: number
  /** Steps of the next batch, where rows are in memory; a batch of a stream is one step. */
  steps: () => number
  seed: number
  epoch: number
  /** Whether rows in memory come in a new order; a stream comes as it is. */
  shuffle: boolean
}

/** @param train - A stream, or, with an augmentation, what that has prepared. */
export async function* passingBatches(
  train: Dataset,
  augmentation: Augmentation | undefined,
  { size, skip, steps, seed, epoch, shuffle }: PassOptions,
): AsyncGenerator<Columns> {
  const augment = (columns: Columns, rows: Uint32Array) =>
    augmentation ? augmentation.augment(columns, { seed, epoch, rows }) : columns
  if (train.resident) {
    const columns = await train.columns()
    const order = epochOrder(rowsOf(columns), { seed, epoch, shuffle })
    for (let from = skip * size; from < order.length; ) {
      const rows = order.subarray(from, from + size * steps())
      from += rows.length
      yield augment(gatherRows(columns, rows), rows)
    }
    return
  }
  let first = skip * size
  for await (const batch of train.batches(size, { fromRow: first, epoch })) {
    const firstRow = first
    first += rowsOf(batch)
    yield augment(
      batch,
      Uint32Array.from({ length: rowsOf(batch) }, (_, row) => firstRow + row),
    )
  }
}
