/** Between two bounds. @module */

import { ConfigError, withDefaults } from '../../core/index.js'
import { checkPer, mapRow, mapValues, namesOf, type Per } from '../column-groups.js'
import { type MomentsByColumn, momentsFitting } from '../moments.js'
import { fittingOf, type Step } from '../step.js'

type Fitted = Record<string, { least: number[]; span: number[] }>

/**
 * Maps the least value of the training set to `from` and the greatest to `to`, as float32. Later values may lie
 * outside. A value that never varies becomes `from`; NaN stays NaN.
 *
 * @param columns - Numeric columns of any shape.
 * @param options - `from`, `to`: the bounds, default 0 and 1. `per`: which values share bounds, default 'feature'.
 */
export function minMax(
  columns: string | readonly string[],
  options: { from?: number; to?: number; per?: Per } = {},
): Step {
  const { from, to, per } = withDefaults('minMax', options, { from: 0, to: 1, per: 'feature' })
  const names = namesOf(columns)
  checkPer(per)
  if (!(from < to)) throw new ConfigError('minMax needs from < to.', { received: [from, to] })
  return {
    kind: 'minMax',
    options: { columns: names, from, to, per },
    reads: names,
    makes: names,
    takes: 'numbers',
    gives: 'numbers',
    fitting: fittingOf<MomentsByColumn>(
      momentsFitting('minMax', names, per, ({ least, greatest }) => ({
        least: [...least],
        span: Array.from(greatest, (high, g) => high - least[g]! || 1),
      })),
    ),
    apply(columns, fitted) {
      return mapValues(columns, names, 'minMax', (name) => {
        const { least, span } = (fitted as Fitted)[name]!
        return { groups: least.length, map: (value, g) => from + ((value - least[g]!) / span[g]!) * (to - from) }
      })
    },
    inverse(row, fitted) {
      return mapRow(row, names, (name) => {
        const { least, span } = (fitted as Fitted)[name]!
        return { groups: least.length, map: (value, g) => least[g]! + ((value - from) / (to - from)) * span[g]! }
      })
    },
  }
}
