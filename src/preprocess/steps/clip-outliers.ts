/** Values far outside, brought to the border. @module */

import { ConfigError, withDefaults } from '../../core/index.js'
import { checkPer, mapValues, namesOf, type Per } from '../column-groups.js'
import { momentsFitting } from '../moments.js'
import { quantileFitting } from '../quantiles.js'
import { type Fitting, fittingOf, type Step } from '../step.js'

/** Where the borders are. */
export interface ClipOutliersOptions {
  /**
   * `'iqr'`: quartiles minus and plus `factor` times their distance (Tukey's fences); `'zscore'`: mean minus and plus
   * `factor` standard deviations; `'quantile'`: the quantiles `factor` and 1 - `factor`.
   * @default 'iqr'
   */
  method?: 'iqr' | 'zscore' | 'quantile'
  /** @default 1.5 for 'iqr', 3 for 'zscore', 0.01 for 'quantile' */
  factor?: number
  /** Which values share borders. @default 'feature' */
  per?: Per
}

const defaults = { iqr: 1.5, zscore: 3, quantile: 0.01 }

/**
 * Clips values to borders measured on the training set, as float32; NaN stays NaN. Quantiles are exact up to 100,000
 * rows (fewer for wide columns); above, a sketch tells them to 0.012 % of the rows.
 *
 * @example
 * new Preprocessor([clipOutliers('x', { method: 'iqr' }), standardize('x')])
 */
export function clipOutliers(columns: string | readonly string[], options: ClipOutliersOptions = {}): Step {
  const { method, per } = withDefaults('clipOutliers', options, { method: 'iqr', factor: undefined, per: 'feature' })
  const names = namesOf(columns)
  checkPer(per)
  if (!Object.hasOwn(defaults, method))
    throw new ConfigError('clipOutliers does not know this method.', {
      expected: Object.keys(defaults).join(', '),
      received: method,
    })
  const factor = options.factor ?? defaults[method]
  if (!(factor >= 0) || (method === 'quantile' && factor >= 0.5))
    throw new ConfigError('The factor of clipOutliers is out of range.', {
      expected: method === 'quantile' ? '0 up to 0.5' : 'at least 0',
      received: factor,
    })
  return {
    kind: 'clipOutliers',
    options: { columns: names, method, factor, per },
    reads: names,
    makes: names,
    takes: 'numbers',
    gives: 'numbers',
    fitting: bordersFitting(names, method, factor, per),
    apply(columns, fitted) {
      return mapValues(columns, names, 'clipOutliers', (name) => {
        const { low, high } = (fitted as Record<string, { low: number[]; high: number[] }>)[name]!
        return {
          groups: low.length,
          map: (value, g) => Math.max(low[g]!, Math.min(high[g]!, value)),
        }
      })
    },
  }
}

function bordersFitting(
  names: readonly string[],
  method: keyof typeof defaults,
  factor: number,
  per: Per,
): Fitting<unknown> {
  if (method === 'zscore')
    return fittingOf(
      momentsFitting('clipOutliers', names, per, ({ mean, squares, count }) => {
        const reach = Array.from(squares, (square, g) => factor * Math.sqrt(square / count[g]!))
        return { low: reach.map((r, g) => mean[g]! - r), high: reach.map((r, g) => mean[g]! + r) }
      }),
    )
  const share = method === 'iqr' ? 0.25 : factor
  const beyond = method === 'iqr' ? factor : 0
  return fittingOf(
    quantileFitting('clipOutliers', names, per, (groups) => {
      const bounds = groups.map((values) => [values.quantile(share), values.quantile(1 - share)] as const)
      return {
        low: bounds.map(([low, high]) => low - beyond * (high - low)),
        high: bounds.map(([low, high]) => high + beyond * (high - low)),
      }
    }),
  )
}
