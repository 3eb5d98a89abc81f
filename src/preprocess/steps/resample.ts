/** Sounds of another sample rate. @module */

import { ConfigError, createTypedArray, ShapeError, typedArrayName, withDefaults } from '../../core/index.js'
import { columnOf, numbersOf } from '../../data/index.js'
import { checkCounts } from '../check-options.js'
import { namesOf } from '../column-groups.js'
import { storeRounded } from '../rounding.js'
import type { Step } from '../step.js'

/** Options of `resample`. */
export interface ResampleOptions {
  /** Samples per second of what comes in, a whole number. */
  from: number
  /** Samples per second of what comes out, a whole number. */
  to: number
  /** Zero crossings of the filter on each side: more are sharper and slower. @default 6 */
  width?: number
}

/** The filter lets pass this share of what the lower rate can hold. */
const PASSED = 0.99
/** Most different filters: those of 44.1 kHz to 48 kHz are 160. */
const MOST_PHASES = 50_000

/**
 * Converts sounds to another sample rate, `[rows, ceil(samples to / from)]`, of the same kind of numbers: by a sinc under
 * a Hann window, one filter for each place between two samples, silence beyond the ends. NaN spreads as far as the filter
 * reaches. As torchaudio's `resample` does by default.
 *
 * @param columns - Columns `[rows, samples]`, as `sources.audioFolder` gives them.
 * @see Smith 2002, "Digital audio resampling", https://ccrma.stanford.edu/~jos/resample/
 * @example
 * new Preprocessor([resample('x', { from: 44_100, to: 16_000 }), logMel('x', { sampleRate: 16_000 })])
 */
export function resample(columns: string | readonly string[], options: ResampleOptions): Step {
  const { from, to, width } = withDefaults('resample', options, { from: undefined, to: undefined, width: 6 })
  checkCounts('resample', { from, to, width }, 1)
  const shared = greatestDivisor(from, to)
  const [down, up] = [from / shared, to / shared]
  if (up > MOST_PHASES)
    throw new ConfigError('resample cannot convert between these rates.', {
      expected: `rates whose ratio needs at most ${MOST_PHASES} filters`,
      received: `${from} to ${to}, which needs ${up}`,
      remedy: 'Round the rates',
    })
  const names = namesOf(columns)
  return {
    kind: 'resample',
    options: { columns: names, from, to, width },
    reads: names,
    makes: names,
    takes: 'numbers',
    gives: 'numbers',
    apply(columns) {
      if (up === down) return columns
      const filters = Array.from({ length: up }, (_, phase) => filterOf(phase, { down, up, width }))
      const made = { ...columns }
      for (const name of names) {
        const column = columnOf(columns, name, 'resample')
        const data = numbersOf(column, name, 'resample')
        if (column.shape.length !== 2)
          throw new ShapeError(`resample needs a sound per row in the column "${name}".`, {
            expected: '[rows, samples]',
            received: column.shape,
          })
        const [rows, samples] = column.shape as [number, number]
        const length = Math.ceil((samples * up) / down)
        const values = createTypedArray(typedArrayName(data), rows * length)
        const sound = new Float32Array(samples)
        const converted = new Float32Array(length)
        for (let row = 0; row < rows; row++) {
          sound.set(data.subarray(row * samples, (row + 1) * samples))
          for (let i = 0; i < length; i++) {
            const { start, weights } = filters[i % up]!
            const first = Math.floor(i / up) * down + start
            let sum = 0
            for (let k = Math.max(0, -first); k < weights.length && first + k < samples; k++)
              sum += weights[k]! * sound[first + k]!
            converted[i] = sum
          }
          storeRounded(converted, values.subarray(row * length, (row + 1) * length))
        }
        made[name] = { data: values, shape: [rows, length] }
      }
      return made
    },
  }
}

/** The weights of samples from `start` on, counted from the last one that falls on a new sample. */
function filterOf(phase: number, { down, up, width }: { down: number; up: number; width: number }) {
  // In units of the new rate where that is the lower one.
  const cutoff = (Math.min(down, up) * PASSED) / down
  const middle = (phase * down) / up
  const reach = width / cutoff
  const start = Math.ceil(middle - reach)
  const weights = Float64Array.from({ length: Math.floor(middle + reach) - start + 1 }, (_, k) => {
    const distance = (start + k - middle) * cutoff
    const sinc = distance === 0 ? 1 : Math.sin(Math.PI * distance) / (Math.PI * distance)
    return sinc * Math.cos((Math.PI * distance) / width / 2) ** 2 * cutoff
  })
  return { start, weights }
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b)
}
