/** Rows without gaps. @module */

import { DataError, rowSize } from '../../core/index.js'
import { type Column, columnOf, gatherRows, rowsOf } from '../../data/index.js'
import { namesOf } from '../column-groups.js'
import type { Step } from '../step.js'

/**
 * Leaves out every row with a missing value: NaN, or the empty string. In prediction, where every row needs an answer,
 * such a row is a DataError.
 *
 * @param columns - Where to look. @default every column
 */
export function dropMissing(columns?: string | readonly string[]): Step {
  const names = columns === undefined ? undefined : namesOf(columns)
  return {
    kind: 'dropMissing',
    options: { columns: names },
    reads: names ?? 'all',
    makes: 'rows',
    apply(columns) {
      const rows = rowsOf(columns)
      const keep = new Uint8Array(rows).fill(1)
      for (const name of names ?? Object.keys(columns)) {
        for (const row of rowsWithGaps(columnOf(columns, name, 'dropMissing'))) keep[row] = 0
      }
      const kept = Uint32Array.from({ length: rows }, (_, i) => i).filter((i) => keep[i] === 1)
      return kept.length === rows ? columns : gatherRows(columns, kept)
    },
    applyForPrediction(columns, _, firstRow) {
      for (const [name, column] of Object.entries(columns)) {
        const { value: row } = (names?.includes(name) ?? true) ? rowsWithGaps(column).next() : { value: undefined }
        if (row !== undefined)
          throw new DataError(`Row ${firstRow + row} has no value in the column "${name}", so it has no prediction.`, {
            remedy: 'Fill the gap, leave out the row, or train with impute() in place of dropMissing()',
          })
      }
      return columns
    },
  }
}

/** Rows with a gap; one with several may come several times. */
function* rowsWithGaps({ data, shape }: Column): Generator<number, undefined> {
  const size = rowSize(shape)
  for (let i = 0; i < data.length; i++) if (data[i] === '' || Number.isNaN(data[i])) yield Math.floor(i / size)
}
