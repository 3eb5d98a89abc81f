/** The common form of steps that change single rows at random, in training only. @module */

import { type Random, rowSize, type TypedArray } from '../core/index.js'
import { type Columns, columnOf, numbersOf } from '../data/index.js'
import type { Json, Step } from './step.js'

/** One row of a column, as it is and as it is to be. */
export interface RandomRow {
  /** The values. */
  from: TypedArray
  /** A copy of them to be changed; of the same kind of numbers. */
  into: TypedArray
  /** Shape of the row, without the axis of rows. */
  shape: readonly number[]
  random: Random
}

/**
 * A step that leaves columns as they are, but in training changes each row at random.
 *
 * @param check - Throws where a column has the wrong shape, in training or not.
 */
export function randomRows(
  kind: string,
  names: readonly string[],
  options: { [key: string]: Json | undefined },
  { check, change }: { check(shape: readonly number[], name: string): void; change(row: RandomRow): void },
): Step {
  const checked = (columns: Columns, name: string) => {
    const column = columnOf(columns, name, kind)
    const data = numbersOf(column, name, kind)
    check(column.shape, name)
    return { data, shape: column.shape }
  }
  return {
    kind,
    options: { columns: [...names], ...options },
    reads: names,
    makes: names,
    apply(columns) {
      for (const name of names) checked(columns, name)
      return columns
    },
    augment(columns, randomOf) {
      const changed = { ...columns }
      for (const name of names) {
        const { data, shape } = checked(columns, name)
        const size = rowSize(shape)
        const values = data.slice()
        for (let row = 0; row < shape[0]!; row++) {
          const [from, into] = [data, values].map((all) => all.subarray(row * size, (row + 1) * size))
          change({ from: from!, into: into!, shape: shape.slice(1), random: randomOf(row) })
        }
        changed[name] = { data: values, shape }
      }
      return changed
    },
  }
}
