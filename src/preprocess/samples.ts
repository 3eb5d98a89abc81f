/**
 * Quantiles in one pass, mergeable: exact up to a number of rows, above it from a uniform sample of rows.
 *
 * With `m` sampled rows the rank of an estimated quantile `q` has a standard error of sqrt(q (1 - q) / m): at most
 * 0.16 % of the rows for m = 100,000, 1.6 % for m = 1,000.
 * @module
 */

import { DataError, Random, rowSize } from '../core/index.js'
import { type Columns, columnOf, numbersOf } from '../data/index.js'
import { groupsOf, type Per } from './column-groups.js'
import type { Fitting, Json } from './step.js'

/** Values kept per column: the number of rows is this over the size of a row, within the bounds below. */
const KEPT_VALUES = 2 ** 22
const LEAST_ROWS = 1000
const MOST_ROWS = 100_000

interface Sample {
  groups: number
  keep: number
  /** Each row has a random priority; the rows with the smallest are kept, whatever the order they came in. */
  rows: { priority: number; values: Float64Array }[]
  random: Random
}

/**
 * The fitting of steps that need quantiles.
 *
 * @param finish - What the step keeps of one column; gets the sorted values of each group, without NaN.
 */
export function quantileFitting(
  kind: string,
  names: readonly string[],
  per: Per,
  finish: (sorted: Float64Array[], name: string) => Json,
): Fitting<Map<string, Sample>> {
  return {
    start: () => new Map(),
    update(state, columns) {
      for (const name of names) addRows(state, columns, name, kind, per)
    },
    merge(first, second) {
      for (const [name, sample] of second) {
        const before = first.get(name)
        if (!before) first.set(name, sample)
        else {
          before.rows.push(...sample.rows)
          trim(before)
        }
      }
      return first
    },
    finish(state) {
      return Object.fromEntries(
        names.map((name) => {
          const sample = state.get(name)
          const sorted = sample ? sortedGroups(sample) : []
          if (sorted.length === 0 || sorted.some((values) => values.length === 0))
            throw new DataError(`${kind} found no value in a part of the column "${name}".`, {
              remedy: 'Drop the column, or fill it with impute() first',
            })
          return [name, finish(sorted, name)]
        }),
      )
    },
  }
}

/** Quantile `q` of sorted values, interpolated linearly between ranks as NumPy does by default. */
export function quantile(sorted: Float64Array, q: number): number {
  return valueAt(sorted, q * (sorted.length - 1))
}

/** `count` quantiles of sorted values, evenly spread from the least to the greatest. */
export function quantiles(sorted: Float64Array, count: number): number[] {
  // Multiplied before it is divided: where there is a quantile for each value, it is that value.
  return Array.from({ length: count }, (_, i) => valueAt(sorted, (i * (sorted.length - 1)) / (count - 1)))
}

/** Value at a rank, interpolated between whole ones. */
function valueAt(sorted: Float64Array, position: number): number {
  const below = Math.floor(position)
  const low = sorted[below]!
  const high = sorted[Math.min(below + 1, sorted.length - 1)]!
  return low + (high - low) * (position - below)
}

function addRows(state: Map<string, Sample>, columns: Columns, name: string, kind: string, per: Per): void {
  const column = columnOf(columns, name, kind)
  const data = numbersOf(column, name, kind)
  const size = rowSize(column.shape)
  let sample = state.get(name)
  if (!sample) {
    const keep = Math.max(LEAST_ROWS, Math.min(MOST_ROWS, Math.floor(KEPT_VALUES / size)))
    sample = { groups: groupsOf(column.shape, per), keep, rows: [], random: new Random(0) }
    state.set(name, sample)
  }
  for (let row = 0; row < column.shape[0]!; row++) {
    const values = Float64Array.from(data.subarray(row * size, (row + 1) * size))
    sample.rows.push({ priority: sample.random.word(), values })
    if (sample.rows.length >= 2 * sample.keep) trim(sample)
  }
}

function trim(sample: Sample): void {
  if (sample.rows.length <= sample.keep) return
  sample.rows.sort((a, b) => a.priority - b.priority)
  sample.rows.length = sample.keep
}

function sortedGroups(sample: Sample): Float64Array[] {
  trim(sample)
  const groups = Array.from({ length: sample.groups }, (): number[] => [])
  for (const { values } of sample.rows)
    values.forEach((value, i) => {
      if (!Number.isNaN(value)) groups[i % sample.groups]!.push(value)
    })
  return groups.map((values) => Float64Array.from(values).sort())
}
