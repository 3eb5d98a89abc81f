/** Rows of one length. @module */

import {
  ConfigError,
  createTypedArray,
  DataError,
  rowSize,
  ShapeError,
  typedArrayName,
  withDefaults,
} from '../../core/index.js'
import { columnOf, numbersOf } from '../../data/index.js'
import { checkChoice, checkCounts, checkNumbers } from '../check-options.js'
import { namesOf } from '../column-groups.js'
import type { Step } from '../step.js'

/** Options of `pad`. */
export interface PadOptions {
  /** Length of every row afterwards. */
  length: number
  /** Where shorter rows are filled up. @default 'end' */
  side?: 'start' | 'end'
  /** Which part of longer rows is kept; 'error': there must be none. @default 'start' */
  keep?: 'start' | 'end' | 'error'
  /** What rows are filled up with. What already stands so behind the end of a row is no part of it. @default 0 */
  value?: number
  /** Name of a column to make, float32 `[rows, length]`: 1 where a row has a value, 0 where it is filled up. @default none */
  mask?: string
}

/**
 * Fills up or cuts rows of ids, sounds or signals to one length, of the same kind of numbers.
 *
 * @param columns - Columns `[rows, time]` or `[rows, time, ...]`, as `vocabulary` and `bytePair` make them.
 * @throws {DataError} for a longer row, where `keep` is 'error'.
 */
export function pad(columns: string | readonly string[], options: PadOptions): Step {
  const { length, side, keep, value, mask } = withDefaults('pad', options, {
    length: undefined,
    side: 'end',
    keep: 'start',
    value: 0,
    mask: undefined,
  })
  checkCounts('pad', { length }, 1)
  checkChoice('pad', 'side', side, ['start', 'end'])
  checkChoice('pad', 'keep', keep, ['start', 'end', 'error'])
  checkNumbers('pad', { value })
  const names = namesOf(columns)
  if (mask !== undefined && names.length > 1)
    throw new ConfigError('pad makes the mask of one column.', { expected: 'a step for each', received: names })
  return {
    kind: 'pad',
    options: { columns: names, length, side, keep, value, mask },
    reads: names,
    makes: mask === undefined ? names : [...names, mask],
    takes: 'numbers',
    gives: 'numbers',
    apply(columns) {
      const padded = { ...columns }
      for (const name of names) {
        const column = columnOf(columns, name, 'pad')
        const data = numbersOf(column, name, 'pad')
        if (column.shape.length < 2)
          throw new ShapeError(`pad needs a sequence per row in the column "${name}".`, {
            expected: '[rows, time] or [rows, time, ...]',
            received: column.shape,
            remedy: 'Put vocabulary or bytePair before it, for texts',
          })
        const [rows, time, ...rest] = column.shape as [number, number, ...number[]]
        const size = rowSize([1, ...rest])
        const values = createTypedArray(typedArrayName(data), rows * length * size).fill(value)
        const isThere = new Float32Array(rows * length)
        for (let row = 0; row < rows; row++) {
          const start = row * time * size
          let end = start + time * size
          while (end > start && data[end - 1] === value) end--
          const own = Math.ceil((end - start) / size)
          if (keep === 'error' && own > length)
            throw new DataError(`Row ${row} of the column "${name}" is too long for pad.`, {
              expected: `at most ${length}`,
              received: own,
              remedy: "Pass a greater length, or keep: 'start'",
            })
          const kept = Math.min(own, length)
          const from = start + (keep === 'end' ? own - kept : 0) * size
          const into = row * length + (side === 'start' ? length - kept : 0)
          values.set(data.subarray(from, from + kept * size), into * size)
          isThere.fill(1, into, into + kept)
        }
        padded[name] = { data: values, shape: [rows, length, ...rest] }
        if (mask !== undefined) padded[mask] = { data: isThere, shape: [rows, length] }
      }
      return padded
    },
  }
}
