/** Other names of columns. @module */

import { ConfigError } from '../../core/index.js'
import type { Step } from '../step.js'

/**
 * Renames columns.
 *
 * @param names - New name by old name.
 * @example
 * new Preprocessor([rename({ species: 'y' })])
 */
export function rename(names: Record<string, string>): Step {
  const pairs = Object.entries(names)
  if (new Set(Object.values(names)).size !== pairs.length)
    throw new ConfigError('rename gives one name to two columns.', { received: names })
  const swap = <T>(from: Record<string, T>, by: readonly (readonly [string, string])[]) => {
    const swapped = { ...from }
    for (const [before] of by) delete swapped[before]
    for (const [before, after] of by) if (Object.hasOwn(from, before)) swapped[after] = from[before]!
    return swapped
  }
  return {
    kind: 'rename',
    options: { names: { ...names } },
    reads: Object.keys(names),
    makes: Object.values(names),
    drops: Object.keys(names).filter((name) => !Object.values(names).includes(name)),
    apply: (columns) => swap(columns, pairs),
    applyForPrediction: (columns) => swap(columns, pairs),
    inverse: (row) =>
      swap(
        row,
        pairs.map(([before, after]) => [after, before] as const),
      ),
  }
}
