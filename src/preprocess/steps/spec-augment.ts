/** Spectra with parts left out. @module */

import { ConfigError, ShapeError, withDefaults } from '../../core/index.js'
import { checkCounts } from '../check-options.js'
import { namesOf } from '../column-groups.js'
import { randomRows } from '../random-rows.js'
import type { Step } from '../step.js'

/** Options of `specAugment`. */
export interface SpecAugmentOptions {
  /** Stretches of time to mask. @default 2 */
  timeMasks?: number
  /** Most frames of each. @default a fifth of the frames */
  timeWidth?: number
  /** Groups of neighbouring bands to mask. @default 2 */
  frequencyMasks?: number
  /** Most bands of each. @default a quarter of the bands */
  frequencyWidth?: number
  /** What stands there instead: a number, or the mean of the row's spectrum. @default 'mean' */
  fill?: 'mean' | number
}

/**
 * In training, masks stretches of time and groups of bands of each spectrum, each as wide as chance has it, from nothing
 * to the most. Otherwise does nothing. Without the time warp of the paper, which says that it matters least.
 *
 * @param columns - Columns `[rows, frames, bands]` or `[rows, frames, bands, channels]`, as `logMel` makes them.
 * @see Park et al. 2019, https://arxiv.org/abs/1904.08779
 * @example
 * new Preprocessor([logMel('x', { sampleRate: 8000 }), standardize('x', { per: 'channel' }), specAugment('x')])
 */
export function specAugment(columns: string | readonly string[], options: SpecAugmentOptions = {}): Step {
  const { timeMasks, frequencyMasks, fill, timeWidth, frequencyWidth } = withDefaults('specAugment', options, {
    timeMasks: 2,
    timeWidth: undefined,
    frequencyMasks: 2,
    frequencyWidth: undefined,
    fill: 'mean',
  })
  checkCounts('specAugment', { timeMasks, frequencyMasks, timeWidth, frequencyWidth })
  if (fill !== 'mean' && !Number.isFinite(fill))
    throw new ConfigError('fill of specAugment is no value.', { expected: "a finite number or 'mean'", received: fill })
  return randomRows(
    'specAugment',
    namesOf(columns),
    { timeMasks, timeWidth, frequencyMasks, frequencyWidth, fill },
    {
      check(shape, name) {
        if (shape.length !== 3 && shape.length !== 4)
          throw new ShapeError(`specAugment needs a spectrum per row in the column "${name}".`, {
            expected: '[rows, frames, bands] or [rows, frames, bands, channels]',
            received: shape,
            remedy: 'Put logMel before it',
          })
      },
      change(values, { shape, random }) {
        const [frames, bands, channels = 1] = shape as [number, number, number?]
        const value = fill === 'mean' ? meanOf(values) : fill
        const drawn = (length: number, most: number) => {
          const width = random.integer(Math.min(length, most) + 1)
          const start = random.integer(length - width + 1)
          return [start, start + width] as const
        }
        for (let mask = 0; mask < timeMasks; mask++) {
          const [start, end] = drawn(frames, timeWidth ?? Math.floor(frames / 5))
          values.fill(value, start * bands * channels, end * bands * channels)
        }
        for (let mask = 0; mask < frequencyMasks; mask++) {
          const [start, end] = drawn(bands, frequencyWidth ?? Math.floor(bands / 4))
          for (let frame = 0; frame < frames; frame++)
            values.fill(value, (frame * bands + start) * channels, (frame * bands + end) * channels)
        }
        return values
      },
    },
  )
}

/** Mean of the values that are there. */
function meanOf(values: Float32Array): number {
  let [sum, count] = [0, 0]
  for (const value of values)
    if (!Number.isNaN(value)) {
      sum += value
      count++
    }
  return count > 0 ? sum / count : 0
}
