/** Any distribution made uniform, or normal. @module */

import { ConfigError, checkWhole, normalQuantile, withDefaults } from '../../core/index.js'
import { checkPer, mapValues, namesOf, type Per } from '../column-groups.js'
import { quantileFitting } from '../quantiles.js'
import { fittingOf, type Step } from '../step.js'

/** Options of `quantileTransform`. */
export interface QuantileTransformOptions {
  /** @default 'uniform' */
  output?: 'uniform' | 'normal'
  /** Quantiles that are kept, at most one per row of the training set. @default 1000 */
  quantiles?: number
  /** Which values share a statistic. @default 'feature' */
  per?: Per
}

/** Shares beyond which a normal output is cut off, so that the ends stay finite: 5.2 standard deviations. */
const EDGE = 1e-7

/**
 * The share of the training set that lies below each value, between quantiles interpolated, as float32; for 'normal'
 * the normal deviate with that share below. Values beyond the training set get the ends. NaN stays NaN. Quantiles are
 * exact up to 100,000 rows (fewer for wide columns); above, a sketch tells them to 0.012 % of the rows.
 *
 * @param columns - Numeric columns of any shape.
 */
export function quantileTransform(columns: string | readonly string[], options: QuantileTransformOptions = {}): Step {
  const { output, quantiles, per } = withDefaults('quantileTransform', options, {
    output: 'uniform',
    quantiles: 1000,
    per: 'feature',
  })
  const names = namesOf(columns)
  checkPer(per)
  if (output !== 'uniform' && output !== 'normal')
    throw new ConfigError('quantileTransform does not know this output.', {
      expected: "'uniform' or 'normal'",
      received: output,
    })
  checkWhole('quantiles of quantileTransform', quantiles, 2)
  return {
    kind: 'quantileTransform',
    options: { columns: names, output, quantiles, per },
    reads: names,
    makes: names,
    takes: 'numbers',
    gives: 'numbers',
    fitting: fittingOf(
      quantileFitting('quantileTransform', names, per, (groups) =>
        groups.map((values) => values.quantiles(Math.max(2, Math.min(quantiles, values.count)))),
      ),
    ),
    apply(columns, fitted) {
      return mapValues(columns, names, 'quantileTransform', (name) => {
        const tables = (fitted as Record<string, number[][]>)[name]!
        const finish = output === 'normal' ? asNormal : (share: number) => share
        return { groups: tables.length, map: (value, g) => finish(shareBelow(tables[g]!, value)) }
      })
    },
  }
}

const asNormal = (share: number) => normalQuantile(Math.max(EDGE, Math.min(1 - EDGE, share)))

/** Share of the training set below a value; of equal quantiles the middle. */
function shareBelow(table: readonly number[], value: number): number {
  if (Number.isNaN(value)) return value
  const last = table.length - 1
  if (value <= table[0]!) return 0
  if (value >= table[last]!) return 1
  const first = lowerBound(table, value)
  let end = first
  while (table[end + 1] === value) end++
  if (table[first] === value) return (first + end) / 2 / last
  const below = table[first - 1]!
  return (first - 1 + (value - below) / (table[first]! - below)) / last
}

/** Index of the first entry that is not below the value. */
function lowerBound(table: readonly number[], value: number): number {
  let low = 0
  let high = table.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (table[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}
