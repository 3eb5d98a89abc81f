/** Rows of length 1. @module */

import { ConfigError, rowSize, withDefaults } from '../../core/index.js'
import { mapNumbers, namesOf } from '../column-groups.js'
import type { Step } from '../step.js'

const norms = {
  l2: (values: ArrayLike<number>, from: number, to: number) => {
    let sum = 0
    for (let i = from; i < to; i++) sum += values[i]! * values[i]!
    return Math.sqrt(sum)
  },
  l1: (values: ArrayLike<number>, from: number, to: number) => {
    let sum = 0
    for (let i = from; i < to; i++) sum += Math.abs(values[i]!)
    return sum
  },
  max: (values: ArrayLike<number>, from: number, to: number) => {
    let most = 0
    for (let i = from; i < to; i++) most = Math.max(most, Math.abs(values[i]!))
    return most
  },
}

/**
 * Divides each row by its norm, as float32; rows of zeros stay, and a row with a missing value is missing as a whole.
 * Nothing to fit.
 *
 * @param columns - Numeric columns `[rows, ...]`.
 * @param options - `norm`: root of the squares, sum of the absolute values, or the greatest of them. @default 'l2'
 */
export function l2(columns: string | readonly string[], options: { norm?: keyof typeof norms } = {}): Step {
  const { norm } = withDefaults('l2', options, { norm: 'l2' })
  const names = namesOf(columns)
  if (!Object.hasOwn(norms, norm))
    throw new ConfigError('l2 does not know this norm.', { expected: Object.keys(norms).join(', '), received: norm })
  return {
    kind: 'l2',
    options: { columns: names, norm },
    reads: names,
    makes: names,
    takes: 'numbers',
    gives: 'numbers',
    apply(columns) {
      return mapNumbers(columns, names, 'l2', (data, shape) => {
        const size = rowSize(shape)
        const values = new Float32Array(data.length)
        for (let from = 0; from < data.length; from += size) {
          const length = norms[norm](data, from, from + size)
          for (let i = from; i < from + size; i++) values[i] = length === 0 ? 0 : data[i]! / length
        }
        return { data: values, shape }
      })
    },
  }
}
