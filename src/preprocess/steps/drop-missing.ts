/** Rows without gaps. @module */

import { rowSize } from '../../core/index.js'
import { columnOf, gatherRows, rowsOf } from '../../data/index.js'
import { namesOf } from '../column-groups.js'
import type { Step } from '../step.js'

/**
 * Leaves out every row with a missing value: NaN, or the empty string.
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
        const { data, shape } = columnOf(columns, name, 'dropMissing')
        const size = rowSize(shape)
        for (let i = 0; i < data.length; i++)
          if (data[i] === '' || Number.isNaN(data[i])) keep[Math.floor(i / size)] = 0
      }
      const kept = Uint32Array.from({ length: rows }, (_, i) => i).filter((i) => keep[i] === 1)
      return kept.length === rows ? columns : gatherRows(columns, kept)
    },
  }
}
