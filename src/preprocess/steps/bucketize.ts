/** Numbers as the number of their bin. @module */

import { ConfigError, checkWhole, withDefaults } from '../../core/index.js'
import { columnOf, numbersOf } from '../../data/index.js'
import { checkGroups, checkPer, namesOf, type Per } from '../column-groups.js'
import { momentsFitting } from '../moments.js'
import { quantileFitting } from '../quantiles.js'
import { type Fitting, fittingOf, type Step } from '../step.js'

/** Options of `bucketize`: the borders, or how they are found. */
export interface BucketizeOptions {
  /** Borders between bins, rising; a value on a border belongs to the bin above. */
  boundaries?: readonly number[]
  /** Number of bins, at least 2. @default 5 */
  bins?: number
  /** Bins of equal width, or of equally many rows of the training set. @default 'quantile' */
  strategy?: 'uniform' | 'quantile'
  /** Which values share borders. @default 'feature' */
  per?: Per
}

/**
 * Each value as the number of its bin, from 0, int32 of the same shape. Values beyond the training set belong to the
 * outer bins; a missing value gets a bin of its own, behind the others.
 *
 * @param columns - Numeric columns of any shape.
 * @example
 * new Preprocessor([bucketize('age', { boundaries: [18, 65] })])
 */
export function bucketize(columns: string | readonly string[], options: BucketizeOptions = {}): Step {
  const { boundaries, bins, strategy, per } = withDefaults('bucketize', options, {
    boundaries: undefined,
    bins: 5,
    strategy: 'quantile',
    per: 'feature',
  })
  const names = namesOf(columns)
  checkPer(per)
  if (
    boundaries &&
    !boundaries.every((border, i) => Number.isFinite(border) && (i === 0 || border > boundaries[i - 1]!))
  )
    throw new ConfigError('The boundaries of bucketize do not rise.', { received: boundaries })
  checkWhole('bins of bucketize', bins, 2)
  const fittings: Record<NonNullable<BucketizeOptions['strategy']>, () => Fitting<unknown>> = {
    uniform: () =>
      fittingOf(
        momentsFitting('bucketize', names, per, ({ least, greatest }) =>
          Array.from(least, (low, g) => inner(bins, (share) => low + (greatest[g]! - low) * share)),
        ),
      ),
    quantile: () =>
      fittingOf(
        quantileFitting('bucketize', names, per, (groups) =>
          // Equal quantiles leave a bin empty: it is left out.
          groups.map((values) => [...new Set(inner(bins, (share) => values.quantile(share)))]),
        ),
      ),
  }
  if (!Object.hasOwn(fittings, strategy))
    throw new ConfigError('bucketize does not know this strategy.', {
      expected: "'uniform' or 'quantile'",
      received: strategy,
    })
  return {
    kind: 'bucketize',
    options: { columns: names, boundaries: boundaries && [...boundaries], bins, strategy, per },
    reads: names,
    makes: names,
    takes: 'numbers',
    gives: 'numbers',
    ...(boundaries ? {} : { fitting: fittings[strategy]() }),
    apply(columns, fitted) {
      const binned = { ...columns }
      for (const name of names) {
        const column = columnOf(columns, name, 'bucketize')
        const data = numbersOf(column, name, 'bucketize')
        const borders = boundaries ? [boundaries] : (fitted as Record<string, number[][]>)[name]!
        const groups = borders.length
        checkGroups(column, groups, name, 'bucketize')
        const numbers = new Int32Array(data.length)
        for (let i = 0; i < data.length; i++) numbers[i] = binOf(data[i]!, borders[i % groups]!)
        binned[name] = { data: numbers, shape: column.shape }
      }
      return binned
    },
  }
}

const inner = (bins: number, border: (share: number) => number) =>
  Array.from({ length: bins - 1 }, (_, i) => border((i + 1) / bins))

function binOf(value: number, borders: readonly number[]): number {
  if (Number.isNaN(value)) return borders.length + 1
  let bin = 0
  while (bin < borders.length && value >= borders[bin]!) bin++
  return bin
}
