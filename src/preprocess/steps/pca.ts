/** Few directions that say most. @module */

import { ConfigError, DataError, ShapeError, symmetricEigen, withDefaults } from '../../core/index.js'
import { type Columns, columnOf, numbersOf } from '../../data/index.js'
import { checkGroups, namesOf } from '../column-groups.js'
import { fittingOf, type Step } from '../step.js'

/** Options of `pca`. */
export interface PcaOptions {
  /** How many directions are kept; below 1: as many as explain this share of the variance. */
  components: number
  /** Whether each direction gets a variance of 1; one without any becomes 0. @default false */
  whiten?: boolean
}

/** Sums of products of differences from the mean, mergeable. */
interface CoMoments {
  count: number
  mean: Float64Array
  /** Lower triangle of the sums, row by row. */
  products: Float64Array
}

type Fitted = Record<string, { mean: number[]; components: number[][]; variance: number[]; share: number[] }>

/**
 * Principal components: each row's place along the directions in which the training set varies most, float32
 * `[rows, components]`. The largest coefficient of each direction is positive. `inverse` gives the row as far as the
 * kept directions tell it. One pass, mergeable; the training set must have no gap.
 *
 * @param columns - Numeric columns `[rows, ...]`; each is taken by itself.
 * @example
 * new Preprocessor([standardize('x'), pca('x', { components: 0.95 })])
 * @see Pébay 2008, Sandia report SAND2008-6212, for the sums
 */
export function pca(columns: string | readonly string[], options: PcaOptions): Step {
  const { components, whiten } = withDefaults('pca', options, { components: undefined, whiten: false })
  const names = namesOf(columns)
  if (!(components > 0 && (components < 1 || Number.isInteger(components))))
    throw new ConfigError('components of pca is out of range.', {
      expected: 'a whole number from 1, or a share above 0 and below 1',
      received: components,
    })
  return {
    kind: 'pca',
    options: { columns: names, components, whiten },
    reads: names,
    makes: names,
    takes: 'numbers',
    gives: 'numbers',
    mixes: true,
    fitting: fittingOf<Map<string, CoMoments>>({
      start: () => new Map(),
      update(state, columns) {
        for (const name of names) addRows(state, columns, name)
      },
      merge(first, second) {
        for (const [name, other] of second) {
          const own = first.get(name)
          if (own) join(own, other)
          else first.set(name, { count: other.count, mean: other.mean.slice(), products: other.products.slice() })
        }
        return first
      },
      finish: (state) => Object.fromEntries(names.map((name) => [name, directions(state.get(name), components, name)])),
    }),
    apply(columns, fitted) {
      const projected = { ...columns }
      for (const name of names) {
        const { mean, components: directions, variance } = (fitted as Fitted)[name]!
        const column = columnOf(columns, name, 'pca')
        checkGroups(column, mean.length, name, 'pca')
        const data = numbersOf(column, name, 'pca')
        const rows = column.shape[0]!
        const values = new Float32Array(rows * directions.length)
        for (let row = 0; row < rows; row++)
          directions.forEach((direction, c) => {
            let sum = 0
            for (let i = 0; i < mean.length; i++) sum += (data[row * mean.length + i]! - mean[i]!) * direction[i]!
            values[row * directions.length + c] = whiten ? sum / (Math.sqrt(variance[c]!) || Infinity) : sum
          })
        projected[name] = { data: values, shape: [rows, directions.length] }
      }
      return projected
    },
    inverse(row, fitted) {
      const before = { ...row }
      for (const name of names.filter((name) => name in row)) {
        const { mean, components: directions, variance } = (fitted as Fitted)[name]!
        const places = row[name] as ArrayLike<number>
        before[name] = Float32Array.from(mean, (middle, i) =>
          directions.reduce(
            (sum, direction, c) => sum + places[c]! * (whiten ? Math.sqrt(variance[c]!) : 1) * direction[i]!,
            middle,
          ),
        )
      }
      return before
    },
  }
}

function addRows(state: Map<string, CoMoments>, columns: Columns, name: string): void {
  const column = columnOf(columns, name, 'pca')
  const data = numbersOf(column, name, 'pca')
  const rows = column.shape[0]!
  if (rows === 0) return
  const width = data.length / rows
  if (width < 2)
    throw new ShapeError(`pca needs several features in the column "${name}".`, {
      expected: '[rows, features]',
      received: column.shape,
      remedy: 'Join columns with concat() first',
    })
  const part: CoMoments = {
    count: rows,
    mean: new Float64Array(width),
    products: new Float64Array((width * (width + 1)) / 2),
  }
  for (let i = 0; i < data.length; i++) part.mean[i % width]! += data[i]! / rows
  if (part.mean.some(Number.isNaN))
    throw new DataError(`pca met a missing value in the column "${name}".`, { remedy: 'Fill it with impute() first' })
  const difference = new Float64Array(width)
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < width; i++) difference[i] = data[row * width + i]! - part.mean[i]!
    for (let i = 0, place = 0; i < width; i++)
      for (let j = 0; j <= i; j++) part.products[place++]! += difference[i]! * difference[j]!
  }
  const own = state.get(name)
  if (own) join(own, part)
  else state.set(name, part)
}

function join(into: CoMoments, other: CoMoments): void {
  const count = into.count + other.count
  const weight = (into.count * other.count) / count
  const delta = other.mean.map((mean, i) => mean - into.mean[i]!)
  for (let i = 0, place = 0; i < delta.length; i++)
    for (let j = 0; j <= i; j++, place++)
      into.products[place]! += other.products[place]! + delta[i]! * delta[j]! * weight
  for (let i = 0; i < delta.length; i++) into.mean[i]! += (delta[i]! * other.count) / count
  into.count = count
}

function directions(moments: CoMoments | undefined, wanted: number, name: string): Fitted[string] {
  if (!moments || moments.count < 2)
    throw new DataError(`pca found fewer than two rows in the column "${name}".`, { expected: 'at least 2 rows' })
  const width = moments.mean.length
  const covariance = Array.from({ length: width }, (_, i) => {
    const start = (i * (i + 1)) / 2
    return moments.products.subarray(start, start + i + 1).map((sum) => sum / (moments.count - 1))
  }).map((row) => Float64Array.from({ length: width }, (_, j) => row[j] ?? 0))
  const { values, vectors } = symmetricEigen(covariance)
  // What is left of directions that the others explain is rounding.
  const least = values[0]! * width * Number.EPSILON
  const variance = Array.from(values, (value) => (value > least ? value : 0))
  const total = variance.reduce((sum, value) => sum + value, 0)
  const most = Math.min(width, moments.count - 1)
  let kept = wanted < 1 ? 0 : wanted
  if (wanted < 1) for (let sum = 0; kept < most && sum < wanted * total; kept++) sum += variance[kept]!
  if (kept > most)
    throw new DataError(`pca cannot find ${kept} directions in the column "${name}".`, {
      expected: `at most ${most}, for ${width} features and ${moments.count} rows`,
      received: kept,
    })
  return {
    mean: [...moments.mean],
    components: vectors.slice(0, kept).map(withPositiveLargest),
    variance: variance.slice(0, kept),
    share: variance.slice(0, kept).map((value) => (total === 0 ? 0 : value / total)),
  }
}

/** A direction has two signs; this one is the same on every machine. */
function withPositiveLargest(direction: Float64Array): number[] {
  let largest = 0
  for (const value of direction) if (Math.abs(value) > Math.abs(largest)) largest = value
  return Array.from(direction, (value) => value * Math.sign(largest))
}
