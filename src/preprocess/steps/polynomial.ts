/** Products of features. @module */

import { ConfigError, checkWhole, ShapeError, withDefaults } from '../../core/index.js'
import { mapNumbers, namesOf } from '../column-groups.js'
import type { Step } from '../step.js'

/** Options of `polynomial`. */
export interface PolynomialOptions {
  /** Most factors of a product, at least 1. @default 2 */
  degree?: number
  /** Whether a feature may not be multiplied by itself. @default false */
  interactionOnly?: boolean
  /** Whether a 1 comes first. @default false */
  bias?: boolean
}

/** Features that a row may come to. */
const MOST_FEATURES = 100_000

/**
 * Each row's features and their products up to a degree, float32 `[rows, products]`, in the order of scikit-learn:
 * by degree, then by feature.
 *
 * @param columns - Numeric columns `[rows]` or `[rows, features]`.
 */
export function polynomial(columns: string | readonly string[], options: PolynomialOptions = {}): Step {
  const { degree, interactionOnly, bias } = withDefaults('polynomial', options, {
    degree: 2,
    interactionOnly: false,
    bias: false,
  })
  const names = namesOf(columns)
  checkWhole('The degree of polynomial', degree)
  return {
    kind: 'polynomial',
    options: { columns: names, degree, interactionOnly, bias },
    reads: names,
    makes: names,
    takes: 'numbers',
    gives: 'numbers',
    apply(columns) {
      return mapNumbers(columns, names, 'polynomial', (data, shape, name) => {
        if (shape.length > 2)
          throw new ShapeError(`polynomial needs a vector per row in the column "${name}".`, {
            expected: '[rows, features]',
            received: shape,
          })
        const rows = shape[0]!
        const width = shape[1] ?? 1
        const products = productsOf(width, degree, interactionOnly)
        if (bias) products.unshift([])
        const values = new Float32Array(rows * products.length)
        for (let row = 0; row < rows; row++)
          products.forEach((factors, i) => {
            let value = 1
            for (const factor of factors) value *= data[row * width + factor]!
            values[row * products.length + i] = value
          })
        return { data: values, shape: [rows, products.length] }
      })
    },
  }
}

/** The factors of every product, each a list of features that does not fall. */
function productsOf(width: number, degree: number, interactionOnly: boolean): number[][] {
  const all: number[][] = []
  let previous: number[][] = [[]]
  for (let factors = 1; factors <= degree; factors++) {
    const next: number[][] = []
    for (const product of previous) {
      const last = product[product.length - 1] ?? 0
      const from = interactionOnly && product.length > 0 ? last + 1 : last
      for (let feature = from; feature < width; feature++) next.push([...product, feature])
      if (all.length + next.length > MOST_FEATURES)
        throw new ConfigError('polynomial would make too many features.', {
          expected: `at most ${MOST_FEATURES}`,
          received: `${width} features, degree ${degree}`,
          remedy: 'Lower the degree, or choose fewer features',
        })
    }
    for (const product of next) all.push(product)
    previous = next
  }
  return all
}
