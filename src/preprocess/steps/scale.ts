/** Times a constant. @module */

import { ConfigError } from '../../core/index.js'
import { mapRow, mapValues, namesOf } from '../column-groups.js'
import type { Step } from '../step.js'

/**
 * Multiplies by a factor, as float32. Nothing to fit.
 *
 * @param factor - Finite and not 0.
 * @example
 * new Preprocessor([scale('x', 1 / 255)])   // pixels 0..255 to 0..1
 */
export function scale(columns: string | readonly string[], factor: number): Step {
  const names = namesOf(columns)
  if (!Number.isFinite(factor) || factor === 0)
    throw new ConfigError('scale needs a factor that is finite and not 0.', { received: factor })
  return {
    kind: 'scale',
    options: { columns: names, factor },
    reads: names,
    makes: names,
    takes: 'numbers',
    gives: 'numbers',
    apply(columns) {
      return mapValues(columns, names, 'scale', () => ({ groups: 1, map: (value) => value * factor }))
    },
    inverse(row) {
      return mapRow(row, names, () => ({ groups: 1, map: (value) => value / factor }))
    },
  }
}
