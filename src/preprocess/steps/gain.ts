/** Sounds louder or softer. @module */

import { withDefaults } from '../../core/index.js'
import { checkNumbers } from '../check-options.js'
import { namesOf } from '../column-groups.js'
import { randomRows } from '../random-rows.js'
import type { Step } from '../step.js'

/** Options of `gain`. */
export interface GainOptions {
  /** Most decibels, up or down. @default 6 */
  decibels?: number
}

/**
 * In training, makes each row louder or softer by a random number of decibels. Otherwise does nothing.
 *
 * @param columns - Columns of numbers of any shape, such as sounds `[rows, samples]`.
 */
export function gain(columns: string | readonly string[], options: GainOptions = {}): Step {
  const { decibels } = withDefaults('gain', options, { decibels: 6 })
  checkNumbers('gain', { decibels }, { from: 0 })
  return randomRows(
    'gain',
    namesOf(columns),
    { decibels },
    {
      check: () => {},
      change(values, { random }) {
        const factor = 10 ** (((2 * random.uniform() - 1) * decibels) / 20)
        return values.map((value) => value * factor)
      },
    },
  )
}
