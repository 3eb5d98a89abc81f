/** Sounds earlier or later. @module */

import { ShapeError, withDefaults } from '../../core/index.js'
import { checkCounts } from '../check-options.js'
import { namesOf } from '../column-groups.js'
import { randomRows } from '../random-rows.js'
import type { Step } from '../step.js'

/** Options of `timeShift`. */
export interface TimeShiftOptions {
  /** Most places along the time, either way. */
  most: number
}

/**
 * In training, moves each row along its time by a random number of places; zeros come in. Otherwise does nothing.
 *
 * @param columns - Columns `[rows, time]` or `[rows, time, ...]`, such as sounds.
 * @example
 * new Preprocessor([timeShift('x', { most: 800 }), logMel('x', { sampleRate: 8000 })])   // up to a tenth of a second
 */
export function timeShift(columns: string | readonly string[], options: TimeShiftOptions): Step {
  const { most } = withDefaults('timeShift', options, { most: undefined })
  checkCounts('timeShift', { most: most ?? Number.NaN })
  return randomRows(
    'timeShift',
    namesOf(columns),
    { most },
    {
      check(shape, name) {
        if (shape.length < 2)
          throw new ShapeError(`timeShift needs a signal per row in the column "${name}".`, {
            expected: '[rows, time] or [rows, time, ...]',
            received: shape,
          })
      },
      change(values, { shape, random }) {
        const size = values.length / shape[0]!
        const places = (random.integer(2 * most + 1) - most) * size
        const shifted = new Float32Array(values.length)
        const kept = values.length - Math.abs(places)
        if (kept > 0) shifted.set(values.subarray(Math.max(0, -places)).subarray(0, kept), Math.max(0, places))
        return shifted
      },
    },
  )
}
