/** Values with noise. @module */

import { withDefaults } from '../../core/index.js'
import { checkNumbers } from '../check-options.js'
import { namesOf } from '../column-groups.js'
import { randomRows } from '../random-rows.js'
import type { Step } from '../step.js'

/** Options of `addNoise`. */
export interface AddNoiseOptions {
  /** Standard deviation of the noise, in units of the values. */
  std: number
}

/**
 * In training, adds normal noise to each value. Otherwise does nothing.
 *
 * @param columns - Columns of numbers of any shape.
 */
export function addNoise(columns: string | readonly string[], options: AddNoiseOptions): Step {
  const { std } = withDefaults('addNoise', options, { std: undefined })
  checkNumbers('addNoise', { std: std ?? Number.NaN }, { from: 0 })
  return randomRows(
    'addNoise',
    namesOf(columns),
    { std },
    {
      check: () => {},
      change: (values, { random }) => values.map((value) => value + std * random.normal()),
    },
  )
}
