/** Rows that were there before. @module */

import { rowSize } from '../../core/index.js'
import { type Columns, columnOf, gatherRows, rowsOf } from '../../data/index.js'
import { namesOf } from '../column-groups.js'
import type { Step } from '../step.js'

/**
 * Leaves out every row whose values were met before in the same pass over a dataset; the first stays. Keeps the values
 * of all different rows in memory. In prediction every row stays.
 *
 * @param columns - Which must be the same; all of them must be there. @default every column
 */
export function dropDuplicates(columns?: string | readonly string[]): Step {
  const names = columns === undefined ? undefined : namesOf(columns)
  const startPass = () => {
    const seen = new Set<string>()
    return (columns: Columns) => {
      const keys = rowKeys(columns, names ?? Object.keys(columns).sort())
      const kept: number[] = []
      keys.forEach((key, row) => {
        if (seen.has(key)) return
        seen.add(key)
        kept.push(row)
      })
      return kept.length === keys.length ? columns : gatherRows(columns, kept)
    }
  }
  return {
    kind: 'dropDuplicates',
    options: { columns: names },
    reads: names ?? 'all',
    makes: 'rows',
    apply: (columns) => startPass()(columns),
    startPass,
    applyForPrediction: (columns) => columns,
  }
}

/** A text per row that is the same for rows that are the same. */
function rowKeys(columns: Columns, names: readonly string[]): string[] {
  const keys = new Array<string>(rowsOf(columns)).fill('')
  for (const name of names) {
    const { data, shape } = columnOf(columns, name, 'dropDuplicates')
    const size = rowSize(shape)
    for (let row = 0; row < keys.length; row++)
      // JSON keeps texts apart that a separator could join otherwise; it writes NaN as null, which no number is.
      keys[row] += JSON.stringify([...data.slice(row * size, (row + 1) * size)])
  }
  return keys
}
