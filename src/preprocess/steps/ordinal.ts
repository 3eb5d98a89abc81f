/** Categories as whole numbers. @module */

import { ConfigError, withDefaults } from '../../core/index.js'
import { type Category, categoriesFitting, categoryColumn, unseenCategory } from '../categories.js'
import { namesOf } from '../column-groups.js'
import { fittingOf, type Step } from '../step.js'

type Fitted = Record<string, Category[]>

/** Options of `ordinal`. */
export interface OrdinalOptions {
  /** The categories in order; otherwise those of the training set, sorted. */
  categories?: readonly Category[]
  /**
   * A category that was not there when fitted, or a missing value: an error, -1, or 'last': the number behind all
   * others, as an embedding needs it.
   * @default 'error'
   */
  unseen?: 'error' | -1 | 'last'
}

/**
 * Each category as its number, from 0, int32: for trees of an order, and for embeddings. `inverse` gives the category.
 *
 * @param columns - Columns `[rows]` of numbers or strings.
 * @example
 * new Preprocessor([ordinal('size', { categories: ['S', 'M', 'L'] })])
 */
export function ordinal(columns: string | readonly string[], options: OrdinalOptions = {}): Step {
  const { categories, unseen } = withDefaults('ordinal', options, { categories: undefined, unseen: 'error' })
  const names = namesOf(columns)
  if (unseen !== 'error' && unseen !== -1 && unseen !== 'last')
    throw new ConfigError('Unknown value of unseen.', { expected: "'error', -1 or 'last'", received: unseen })
  return {
    kind: 'ordinal',
    options: { columns: names, categories: categories && [...categories], unseen },
    reads: names,
    makes: names,
    gives: 'numbers',
    fitting: fittingOf(categoriesFitting('ordinal', names, categories)),
    apply(columns, fitted) {
      const encoded = { ...columns }
      for (const name of names) {
        const known = (fitted as Fitted)[name]!
        const places = new Map(known.map((category, place) => [category, place]))
        const { data, shape } = categoryColumn(columns, name, 'ordinal')
        const numbers = new Int32Array(data.length)
        for (let row = 0; row < data.length; row++) {
          const place = places.get(data[row]!)
          if (place === undefined && unseen === 'error')
            throw unseenCategory('ordinal', name, data[row]!, known, "Fit on data that has it, or pass unseen: 'last'")
          numbers[row] = place ?? (unseen === 'last' ? known.length : -1)
        }
        encoded[name] = { data: numbers, shape }
      }
      return encoded
    },
    inverse(row, fitted) {
      const before = { ...row }
      for (const name of names.filter((name) => name in row))
        before[name] = (fitted as Fitted)[name]![Number(row[name])]
      return before
    },
  }
}
