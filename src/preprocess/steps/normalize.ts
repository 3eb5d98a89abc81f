/** Channels by given means and deviations. @module */

import { ConfigError, ShapeError, withDefaults } from '../../core/index.js'
import { columnOf } from '../../data/index.js'
import { checkNumbers } from '../check-options.js'
import { mapRow, mapValues, namesOf } from '../column-groups.js'
import type { Step } from '../step.js'

/** Options of `normalize`. */
export interface NormalizeOptions {
  /** Mean of all, or of each channel. */
  mean: number | readonly number[]
  /** Standard deviation of all, or of each channel; not 0. */
  std: number | readonly number[]
}

/**
 * (value - mean) / std of each channel, as float32: what a model was trained with elsewhere. To learn the two from data:
 * `standardize(..., { per: 'channel' })`. NaN stays NaN.
 *
 * @param columns - Columns `[rows, ..., channels]`.
 * @example
 * new Preprocessor([normalize('x', { mean: [123.7, 116.3, 103.5], std: [58.4, 57.1, 57.4] })])   // ImageNet, 0..255
 */
export function normalize(columns: string | readonly string[], options: NormalizeOptions): Step {
  const { mean, std } = withDefaults('normalize', options, { mean: undefined, std: undefined })
  const means = [mean].flat() as number[]
  const deviations = [std].flat() as number[]
  for (const mean of means) checkNumbers('normalize', { mean })
  for (const std of deviations) checkNumbers('normalize', { std })
  const groups = Math.max(means.length, deviations.length)
  const fits = [means, deviations].every(({ length }) => length === 1 || length === groups)
  if (!fits || deviations.includes(0))
    throw new ConfigError('mean and std of normalize do not fit.', {
      expected: 'a number, or one per channel, and no std of 0',
      received: `mean ${means.join(', ')}; std ${deviations.join(', ')}`,
    })
  const names = namesOf(columns)
  const shift = (group: number) => means[means.length === 1 ? 0 : group]!
  const spread = (group: number) => deviations[deviations.length === 1 ? 0 : group]!
  return {
    kind: 'normalize',
    options: { columns: names, mean: [...means], std: [...deviations] },
    reads: names,
    makes: names,
    takes: 'numbers',
    gives: 'numbers',
    apply(columns) {
      for (const name of names) {
        const { shape } = columnOf(columns, name, 'normalize')
        if (groups > 1 && (shape.length < 2 || shape.at(-1) !== groups))
          throw new ShapeError(`The column "${name}" has other channels than normalize.`, {
            expected: `[rows, ..., ${groups}]`,
            received: shape,
          })
      }
      return mapValues(columns, names, 'normalize', () => ({
        groups,
        map: (value, group) => (value - shift(group)) / spread(group),
      }))
    },
    inverse: (row) =>
      mapRow(row, names, () => ({ groups, map: (value, group) => value * spread(group) + shift(group) })),
  }
}
