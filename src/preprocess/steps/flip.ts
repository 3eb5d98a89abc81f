/** Pictures as in a mirror. @module */

import { withDefaults } from '../../core/index.js'
import { checkChoice, checkNumbers } from '../check-options.js'
import { namesOf } from '../column-groups.js'
import { checkPictures, type PictureSize, sizeOfPicture } from '../pictures.js'
import { randomRows } from '../random-rows.js'
import type { Step } from '../step.js'

/** Options of `flip`. */
export interface FlipOptions {
  /** Left and right change places, top and bottom, or each of the two by a chance of its own. @default 'horizontal' */
  axis?: 'horizontal' | 'vertical' | 'both'
  /** Share of the pictures that are flipped. @default 0.5 */
  probability?: number
}

/**
 * In training, flips some of the pictures. Otherwise does nothing. Only where the target does not tell left from right.
 *
 * @param columns - Columns `[rows, height, width]` or `[rows, height, width, channels]`.
 */
export function flip(columns: string | readonly string[], options: FlipOptions = {}): Step {
  const { axis, probability } = withDefaults('flip', options, { axis: 'horizontal', probability: 0.5 })
  checkChoice('flip', 'axis', axis, ['horizontal', 'vertical', 'both'])
  checkNumbers('flip', { probability }, { from: 0, to: 1 })
  return randomRows(
    'flip',
    namesOf(columns),
    { axis, probability },
    {
      check: (shape, name) => checkPictures('flip', shape, name),
      change(values, { shape, random }) {
        const size = sizeOfPicture(shape)
        let flipped = values
        if (axis !== 'vertical' && random.uniform() < probability) flipped = mirrored(flipped, size)
        if (axis !== 'horizontal' && random.uniform() < probability) flipped = upsideDown(flipped, size)
        return flipped
      },
    },
  )
}

function mirrored(values: Float32Array, { height, width, channels }: PictureSize): Float32Array {
  const made = new Float32Array(values.length)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [from, into] = [(y * width + x) * channels, (y * width + width - 1 - x) * channels]
      for (let c = 0; c < channels; c++) made[into + c] = values[from + c]!
    }
  return made
}

function upsideDown(values: Float32Array, { height, width, channels }: PictureSize): Float32Array {
  const made = new Float32Array(values.length)
  const line = width * channels
  for (let y = 0; y < height; y++) made.set(values.subarray(y * line, (y + 1) * line), (height - 1 - y) * line)
  return made
}
