/** Mean 0 and standard deviation 1. @module */

import { checkPer, mapRowValue, mapValues, namesOf, type Per } from '../column-groups.js'
import { type MomentsByColumn, momentsFitting } from '../moments.js'
import { fittingOf, type Step } from '../step.js'

type Fitted = Record<string, { mean: number[]; deviation: number[] }>

/**
 * (value - mean) / standard deviation, as float32, both measured on the training set (divisor n, as scikit-learn's
 * StandardScaler). A value that never varies becomes 0; NaN is left out of the statistics and stays NaN.
 *
 * @param columns - Numeric columns of any shape.
 * @param options - `per`: which values share a statistic. @default 'feature'
 * @example
 * const preprocessor = new Preprocessor([standardize('x')])
 */
export function standardize(columns: string | readonly string[], { per = 'feature' }: { per?: Per } = {}): Step {
  const names = namesOf(columns)
  checkPer(per)
  return {
    kind: 'standardize',
    options: { columns: names, per },
    reads: names,
    makes: names,
    fitting: fittingOf<MomentsByColumn>(
      momentsFitting('standardize', names, per, ({ mean, squares, count }) => ({
        mean: [...mean],
        // 1 for a constant: the difference from the mean is 0 then, and stays it.
        deviation: Array.from(squares, (square, g) => Math.sqrt(square / count[g]!) || 1),
      })),
    ),
    apply(columns, fitted) {
      return mapValues(columns, names, 'standardize', (name) => {
        const { mean, deviation } = (fitted as Fitted)[name]!
        return { groups: mean.length, map: (value, g) => (value - mean[g]!) / deviation[g]! }
      })
    },
    inverse(row, fitted) {
      const before = { ...row }
      for (const name of names.filter((name) => name in row)) {
        const { mean, deviation } = (fitted as Fitted)[name]!
        before[name] = mapRowValue(row[name], mean.length, (value, g) => value * deviation[g]! + mean[g]!)
      }
      return before
    },
  }
}
