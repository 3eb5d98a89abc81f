/** Median 0 and a spread of 1, whatever the outliers. @module */

import { ConfigError, withDefaults } from '../../core/index.js'
import { checkPer, namesOf, type Per } from '../column-groups.js'
import { quantileFitting } from '../quantiles.js'
import { fittingOf, type Step } from '../step.js'
import { affine } from './affine.js'

/** Options of `robust`. */
export interface RobustOptions {
  /** Quantiles whose distance is the spread, each 0 to 1. @default [0.25, 0.75] */
  range?: readonly [low: number, high: number]
  /** Which values share a statistic. @default 'feature' */
  per?: Per
}

/**
 * (value - median) / distance of two quantiles, as float32, so that a few wild values change nothing. A spread of 0
 * counts as 1; NaN is left out and stays NaN. Quantiles are exact up to 100,000 rows (fewer for wide columns);
 * above, a sketch tells them to 0.012 % of the rows.
 *
 * @param columns - Numeric columns of any shape.
 * @example
 * new Preprocessor([robust('income')])
 */
export function robust(columns: string | readonly string[], options: RobustOptions = {}): Step {
  const { range, per } = withDefaults('robust', options, { range: [0.25, 0.75], per: 'feature' })
  const names = namesOf(columns)
  checkPer(per)
  const [low, high] = range
  if (!(low >= 0 && low < high && high <= 1))
    throw new ConfigError('The range of robust is none.', { expected: '0 <= low < high <= 1', received: range })
  const fitting = quantileFitting('robust', names, per, (groups) => ({
    shift: groups.map((values) => values.quantile(0.5)),
    scale: groups.map((values) => values.quantile(high) - values.quantile(low) || 1),
  }))
  return affine('robust', names, { range: [low, high], per }, fittingOf(fitting))
}
