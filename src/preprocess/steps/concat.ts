/** Columns joined into one. @module */

import { rowSize } from '../../core/index.js'
import { columnOf, numbersOf, rowsOf } from '../../data/index.js'
import { namesOf } from '../column-groups.js'
import type { Step } from '../step.js'

/**
 * Joins columns side by side into one, as float32 `[rows, values]`: a column `[rows]` gives one value, another all of
 * its row. They are left out themselves.
 *
 * @param columns - Numeric columns, in the order of their values.
 * @param into - Name of the joined column. @default 'x'
 * @example
 * new Preprocessor([standardize(['age', 'income']), oneHot('city'), concat(['age', 'income', 'city'])])
 */
export function concat(columns: string | readonly string[], into = 'x'): Step {
  const names = namesOf(columns)
  return {
    kind: 'concat',
    options: { columns: names, into },
    reads: names,
    makes: [into],
    drops: names.filter((name) => name !== into),
    takes: 'numbers',
    gives: 'numbers',
    apply(columns) {
      const parts = names.map((name) => {
        const column = columnOf(columns, name, 'concat')
        return { data: numbersOf(column, name, 'concat'), size: rowSize(column.shape) }
      })
      const rows = rowsOf(columns)
      const width = parts.reduce((sum, { size }) => sum + size, 0)
      const data = new Float32Array(rows * width)
      let offset = 0
      for (const { data: values, size } of parts) {
        for (let row = 0; row < rows; row++)
          for (let j = 0; j < size; j++) data[row * width + offset + j] = values[row * size + j]!
        offset += size
      }
      const others = Object.fromEntries(Object.entries(columns).filter(([name]) => !names.includes(name)))
      return { ...others, [into]: { data, shape: [rows, width] } }
    },
  }
}
