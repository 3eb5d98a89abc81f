/** Mean 0 and standard deviation 1. @module */

import { withDefaults } from '../../core/index.js'
import { checkPer, namesOf, type Per } from '../column-groups.js'
import { momentsFitting } from '../moments.js'
import { fittingOf, type Step } from '../step.js'
import { affine } from './affine.js'

/**
 * (value - mean) / standard deviation, as float32, both measured on the training set (divisor n, as scikit-learn's
 * StandardScaler). A value that never varies becomes 0; NaN is left out of the statistics and stays NaN.
 *
 * @param columns - Numeric columns of any shape.
 * @param options - `per`: which values share a statistic. @default 'feature'
 * @example
 * const preprocessor = new Preprocessor([standardize('x')])
 */
export function standardize(columns: string | readonly string[], options: { per?: Per } = {}): Step {
  const { per } = withDefaults('standardize', options, { per: 'feature' })
  const names = namesOf(columns)
  checkPer(per)
  const fitting = momentsFitting('standardize', names, per, ({ mean, squares, count }) => ({
    shift: [...mean],
    // 1 for a constant: the difference from the mean is 0 then, and stays it.
    scale: Array.from(squares, (square, g) => Math.sqrt(square / count[g]!) || 1),
  }))
  return affine('standardize', names, { per }, fittingOf(fitting))
}
