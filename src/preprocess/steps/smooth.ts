/** Noise of signals, smoothed away. @module */

import { ConfigError, rowSize, ShapeError, withDefaults } from '../../core/index.js'
import { mapNumbers, namesOf } from '../column-groups.js'
import type { Step } from '../step.js'

/** Options of `smooth`. */
export interface SmoothOptions {
  /** Values that count for each one, itself in the middle: an odd number. @default 5 */
  window?: number
  /** The mean of them, or the median, which spares edges and takes away spikes. @default 'mean' */
  method?: 'mean' | 'median'
}

/**
 * Smooths the signal in each row along its first axis, each channel by itself, as float32. At the ends, and beside
 * missing values, only what is there counts; what is missing stays so. Nothing to fit.
 *
 * @param columns - Numeric columns `[rows, time]` or `[rows, time, channels]`.
 */
export function smooth(columns: string | readonly string[], options: SmoothOptions = {}): Step {
  const { window, method } = withDefaults('smooth', options, { window: 5, method: 'mean' })
  const names = namesOf(columns)
  if (!Number.isInteger(window) || window < 1 || window % 2 === 0)
    throw new ConfigError('The window of smooth is out of range.', { expected: 'an odd number', received: window })
  if (method !== 'mean' && method !== 'median')
    throw new ConfigError('smooth does not know this method.', { expected: "'mean' or 'median'", received: method })
  const middle = method === 'mean' ? meanOf : medianOf
  return {
    kind: 'smooth',
    options: { columns: names, window, method },
    reads: names,
    makes: names,
    takes: 'numbers',
    gives: 'numbers',
    apply(columns) {
      return mapNumbers(columns, names, 'smooth', (data, shape, name) => {
        if (shape.length < 2)
          throw new ShapeError(`smooth needs a signal per row in the column "${name}".`, {
            expected: '[rows, time] or [rows, time, channels]',
            received: shape,
          })
        const length = shape[1]!
        const size = rowSize(shape)
        const channels = size / length
        const values = new Float32Array(data.length)
        const near: number[] = []
        for (let i = 0; i < data.length; i++) {
          const time = Math.floor((i % size) / channels)
          const reach = (window - 1) / 2
          near.length = 0
          for (let t = Math.max(0, time - reach); t <= Math.min(length - 1, time + reach); t++) {
            const value = data[i + (t - time) * channels]!
            if (!Number.isNaN(value)) near.push(value)
          }
          values[i] = Number.isNaN(data[i]!) ? Number.NaN : middle(near)
        }
        return { data: values, shape }
      })
    },
  }
}

const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

function medianOf(values: number[]): number {
  values.sort((a, b) => a - b)
  const half = values.length >> 1
  return values.length % 2 === 1 ? values[half]! : (values[half - 1]! + values[half]!) / 2
}
