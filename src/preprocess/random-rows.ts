/** The common form of steps that change single rows at random, in training only. @module */

import { type Random, rowSize } from '../core/index.js'
import { mapNumbers } from './column-groups.js'
import { storeRounded } from './rounding.js'
import type { Json, Step } from './step.js'

/** What is done to the rows of a column. */
export interface RandomChange {
  /** Throws where a column has the wrong shape `[rows, ...]`, in training or not. */
  check(shape: readonly number[], name: string): void
  /**
   * Changes one row.
   *
   * @param values - Its values, to be changed at will.
   * @param shape - Its shape, without the axis of rows.
   * @param isWhole - Whether the column holds whole numbers: what is returned will be rounded.
   * @returns As many values.
   */
  change(values: Float32Array, at: { shape: readonly number[]; random: Random; isWhole: boolean }): Float32Array
}

/** A step that leaves columns as they are, but in training changes each row at random. Kinds of numbers stay. */
export function randomRows(
  kind: string,
  names: readonly string[],
  options: { [key: string]: Json | undefined },
  { check, change }: RandomChange,
): Step {
  return {
    kind,
    options: { columns: [...names], ...options },
    reads: names,
    makes: names,
    takes: 'numbers',
    gives: 'numbers',
    apply(columns) {
      return mapNumbers(columns, names, kind, (data, shape, name) => {
        check(shape, name)
        return { data, shape }
      })
    },
    augment(columns, randomOf) {
      return mapNumbers(columns, names, kind, (data, shape, name) => {
        check(shape, name)
        const size = rowSize(shape)
        const isWhole = !(data instanceof Float32Array || data instanceof Float64Array)
        const into = data.slice()
        const values = new Float32Array(size)
        for (let row = 0; row < shape[0]!; row++) {
          values.set(data.subarray(row * size, (row + 1) * size))
          const made = change(values, { shape: shape.slice(1), random: randomOf(row), isWhole })
          storeRounded(made, into.subarray(row * size, (row + 1) * size))
        }
        return { data: into, shape }
      })
    },
  }
}
