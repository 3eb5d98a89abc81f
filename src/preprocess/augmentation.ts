/** Random changes of the rows to train on. @module */

import { ConfigError, Random } from '../core/index.js'
import { type Columns, Dataset, type Pass, rowsOf } from '../data/index.js'
import type { RandomOf, Step } from './step.js'

/** Which of all the random changes. */
export interface AugmentOptions {
  /** Integer from 0 to 2^32 - 1. */
  seed: number
  /** Number of the epoch, from 0. */
  epoch: number
}

/** The random changes of some rows. */
export interface RowDraw extends AugmentOptions {
  /** The number of each row in the prepared dataset. */
  rows: ArrayLike<number>
}

/** How rows to train on are changed at random: anew in each epoch, the same for the same seed, epoch and row. */
export interface Augmentation {
  /** Does what comes before the first random step: once. */
  prepare(dataset: Dataset): Dataset
  /** Does the rest, to some rows of the prepared dataset. */
  augment(columns: Columns, draw: RowDraw): Columns
}

/** @param step - Index of the step: each draws for itself. */
export const randomOfRows =
  ({ seed, epoch, rows }: RowDraw, step: number): RandomOf =>
  // The place of epoch -1 is that of the generators that have none, as the order of rows is drawn from.
  (row) =>
    new Random(seed, step, [rows[row]!, epoch + 1])

/** @throws {ConfigError} if rows could be left out after they were changed: they would have no number. */
export function checkAugmentation(steps: readonly Step[]): void {
  const first = steps.findIndex((step) => step.augment)
  if (first < 0) return
  const late = steps.findIndex((step, i) => i > first && step.makes === 'rows')
  if (late >= 0)
    throw new ConfigError(`Step ${late} (${steps[late]!.kind}) leaves out rows after they were changed at random.`, {
      expected: `it before step ${first} (${steps[first]!.kind})`,
      remedy: 'Move it to the front',
    })
}

/** Rows of a prepared dataset, changed at random and numbered as they come. */
export function augmented(prepared: Dataset, { augment }: Augmentation, options: AugmentOptions): Dataset {
  async function* batches({ epoch }: Pass) {
    let first = 0
    for await (const batch of prepared.batches(undefined, { epoch })) {
      const rows = Uint32Array.from({ length: rowsOf(batch) }, (_, row) => first + row)
      first += rows.length
      yield augment(batch, { ...options, rows })
    }
  }
  return Dataset.fromBatches(batches, prepared.size === undefined ? {} : { size: prepared.size })
}
