/** Categories as vectors of 0 and one 1. @module */

import { ConfigError, withDefaults } from '../../core/index.js'
import type { Column } from '../../data/index.js'
import { type Category, categoriesFitting, categoryColumn, unseenCategory } from '../categories.js'
import { namesOf } from '../column-groups.js'
import { fittingOf, type Step } from '../step.js'

type Fitted = Record<string, Category[]>

/** How categories are encoded. */
export interface OneHotOptions {
  /** The categories in order; otherwise those of the training set, sorted. */
  categories?: readonly Category[]
  /** A category that was not there when fitted, or a missing value: an error, or all zeros. @default 'error' */
  unseen?: 'error' | 'zeros'
}

/**
 * Each category as a vector: a column `[rows]` becomes float32 `[rows, categories]`. NaN and the empty string are
 * missing values, not categories. `inverse` gives the category with the greatest value, also for probabilities.
 *
 * @param columns - Columns `[rows]` of numbers or strings.
 * @example
 * new Preprocessor([oneHot('y', { categories: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] })])
 */
export function oneHot(columns: string | readonly string[], options: OneHotOptions = {}): Step {
  const { categories, unseen } = withDefaults('oneHot', options, { categories: undefined, unseen: 'error' })
  const names = namesOf(columns)
  if (unseen !== 'error' && unseen !== 'zeros')
    throw new ConfigError('Unknown value of unseen.', { expected: "'error' or 'zeros'", received: unseen })
  return {
    kind: 'oneHot',
    options: { columns: names, categories: categories && [...categories], unseen },
    reads: names,
    makes: names,
    gives: 'numbers',
    fitting: fittingOf(categoriesFitting('oneHot', names, categories)),
    apply(columns, fitted) {
      const encoded = { ...columns }
      for (const name of names)
        encoded[name] = encode(categoryColumn(columns, name, 'oneHot'), name, (fitted as Fitted)[name]!, unseen)
      return encoded
    },
    inverse(row, fitted) {
      const before = { ...row }
      for (const name of names.filter((name) => name in row)) {
        const scores = row[name] as ArrayLike<number>
        let best = 0
        for (let i = 1; i < scores.length; i++) if (scores[i]! > scores[best]!) best = i
        before[name] = (fitted as Fitted)[name]![best]
      }
      return before
    },
  }
}

function encode({ data }: Column, name: string, categories: Category[], unseen: 'error' | 'zeros'): Column {
  const places = new Map(categories.map((category, place) => [category, place]))
  const vectors = new Float32Array(data.length * categories.length)
  for (let row = 0; row < data.length; row++) {
    const place = places.get(data[row]!)
    if (place !== undefined) vectors[row * categories.length + place] = 1
    else if (unseen === 'error')
      throw unseenCategory(
        'oneHot',
        name,
        data[row]!,
        categories,
        "Fit on data that has it, name all categories, or pass unseen: 'zeros'",
      )
  }
  return { data: vectors, shape: [data.length, categories.length] }
}
