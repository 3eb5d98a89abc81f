/** Pictures turned. @module */

import { withDefaults } from '../../core/index.js'
import { checkNumbers } from '../check-options.js'
import { namesOf } from '../column-groups.js'
import { checkPictures, rotation, sizeOfPicture, warp } from '../pictures.js'
import { randomRows } from '../random-rows.js'
import type { Step } from '../step.js'

/** Options of `rotate`. */
export interface RotateOptions {
  /** Most degrees, either way. @default 15 */
  degrees?: number
  /** What comes into the picture at its corners. @default 0 */
  fill?: number
}

/**
 * In training, turns each picture about its middle by a random angle, with bilinear interpolation. Otherwise does
 * nothing.
 *
 * @param columns - Columns `[rows, height, width]` or `[rows, height, width, channels]`.
 */
export function rotate(columns: string | readonly string[], options: RotateOptions = {}): Step {
  const { degrees, fill } = withDefaults('rotate', options, { degrees: 15, fill: 0 })
  checkNumbers('rotate', { degrees }, { from: 0, to: 180 })
  checkNumbers('rotate', { fill })
  return randomRows(
    'rotate',
    namesOf(columns),
    { degrees, fill },
    {
      check: (shape, name) => checkPictures('rotate', shape, name),
      change: (values, { shape, random }) =>
        warp(values, sizeOfPicture(shape), rotation((2 * random.uniform() - 1) * degrees), fill),
    },
  )
}
