/** Between -1 and 1, with 0 where it was. @module */

import { withDefaults } from '../../core/index.js'
import { checkPer, namesOf, type Per } from '../column-groups.js'
import { momentsFitting } from '../moments.js'
import { fittingOf, type Step } from '../step.js'
import { affine } from './affine.js'

/**
 * Divides by the greatest absolute value of the training set, as float32: what was 0 stays 0, so that sparse data stays
 * sparse. A value that is always 0 stays 0; NaN stays NaN.
 *
 * @param columns - Numeric columns of any shape.
 * @param options - `per`: which values share a statistic. @default 'feature'
 */
export function maxAbs(columns: string | readonly string[], options: { per?: Per } = {}): Step {
  const { per } = withDefaults('maxAbs', options, { per: 'feature' })
  const names = namesOf(columns)
  checkPer(per)
  const fitting = momentsFitting('maxAbs', names, per, ({ least, greatest }) => ({
    shift: Array.from(least, () => 0),
    scale: Array.from(greatest, (high, g) => Math.max(Math.abs(high), Math.abs(least[g]!)) || 1),
  }))
  return affine('maxAbs', names, { per }, fittingOf(fitting))
}
