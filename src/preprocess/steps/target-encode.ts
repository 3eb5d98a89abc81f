/** Categories as what their rows came to. @module */

import { ConfigError, ShapeError, withDefaults } from '../../core/index.js'
import { type Columns, columnOf, numbersOf } from '../../data/index.js'
import { byCategory, type Category, categoryColumn, isMissing } from '../categories.js'
import { namesOf } from '../column-groups.js'
import { fittingOf, type Step } from '../step.js'

/** Options of `targetEncode`. */
export interface TargetEncodeOptions {
  /** Numeric column `[rows]` whose means are taken. @default 'y' */
  target?: string
  /** How many rows of the overall mean each category is given besides its own, at least 0. @default 10 */
  smoothing?: number
}

interface Sums {
  sum: number
  count: number
}

interface State {
  all: Sums
  byColumn: Map<string, Map<Category, Sums>>
}

/** Means by category, as pairs: JSON has no keys that are numbers. */
interface Fitted {
  overall: number
  means: Record<string, [Category, number][]>
}

/**
 * Each category as the mean of the target over its rows, drawn towards the overall mean where they are few:
 * (sum + smoothing * overall) / (count + smoothing); float32 `[rows]`. Unseen and missing categories become the overall
 * mean; rows without a target are left out.
 *
 * The training rows see their own targets: with few rows per category raise `smoothing`, or the model trusts the column
 * too much.
 *
 * @param columns - Columns `[rows]` of numbers or strings.
 * @see Micci-Barreca 2001, https://doi.org/10.1145/507533.507538
 */
export function targetEncode(columns: string | readonly string[], options: TargetEncodeOptions = {}): Step {
  const { target, smoothing } = withDefaults('targetEncode', options, { target: 'y', smoothing: 10 })
  const names = namesOf(columns)
  if (!(smoothing >= 0 && Number.isFinite(smoothing)))
    throw new ConfigError('smoothing of targetEncode is out of range.', { expected: 'at least 0', received: smoothing })
  return {
    kind: 'targetEncode',
    options: { columns: names, target, smoothing },
    reads: names,
    makes: names,
    gives: 'numbers',
    learnsFrom: [target],
    fitting: fittingOf<State>({
      start: () => ({ all: { sum: 0, count: 0 }, byColumn: new Map(names.map((name) => [name, new Map()])) }),
      update: (state, columns) => addRows(state, columns, names, target),
      merge(first, second) {
        add(first.all, second.all)
        for (const [name, sums] of second.byColumn)
          for (const [category, other] of sums) add(sumsOf(first.byColumn.get(name)!, category), other)
        return first
      },
      finish({ all, byColumn }) {
        const overall = all.sum / Math.max(1, all.count)
        const meanOf = ({ sum, count }: Sums) => (sum + smoothing * overall) / (count + smoothing)
        const means = [...byColumn].map(([name, sums]) => {
          const sorted = [...sums].sort(([a], [b]) => byCategory(a, b))
          return [name, sorted.map(([category, own]) => [category, meanOf(own)])]
        })
        return { overall, means: Object.fromEntries(means) }
      },
    }),
    apply(columns, fitted) {
      const { overall, means } = fitted as unknown as Fitted
      const encoded = { ...columns }
      for (const name of names) {
        const known = new Map(means[name])
        const { data, shape } = categoryColumn(columns, name, 'targetEncode')
        encoded[name] = { data: Float32Array.from(data as string[], (value) => known.get(value) ?? overall), shape }
      }
      return encoded
    },
  }
}

function addRows({ all, byColumn }: State, columns: Columns, names: readonly string[], target: string): void {
  const column = columnOf(columns, target, 'targetEncode')
  const targets = numbersOf(column, target, 'targetEncode')
  if (column.shape.length !== 1)
    throw new ShapeError(`targetEncode needs one number per row in the column "${target}".`, {
      expected: '[rows]',
      received: column.shape,
    })
  for (const value of targets) if (!Number.isNaN(value)) add(all, { sum: value, count: 1 })
  for (const name of names) {
    const { data } = categoryColumn(columns, name, 'targetEncode')
    const sums = byColumn.get(name)!
    for (let row = 0; row < data.length; row++)
      if (!isMissing(data[row]!) && !Number.isNaN(targets[row]))
        add(sumsOf(sums, data[row]!), { sum: targets[row]!, count: 1 })
  }
}

function sumsOf(sums: Map<Category, Sums>, category: Category): Sums {
  let own = sums.get(category)
  if (!own) {
    own = { sum: 0, count: 0 }
    sums.set(category, own)
  }
  return own
}

function add(into: Sums, { sum, count }: Sums): void {
  into.sum += sum
  into.count += count
}
