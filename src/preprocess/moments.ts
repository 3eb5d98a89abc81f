/**
 * Count, mean, variance, least and greatest value in one pass, mergeable.
 *
 * @see Chan, Golub, LeVeque 1979, "Updating formulae and a pairwise algorithm for computing sample variances"
 * @module
 */

import { DataError, type TypedArray } from '../core/index.js'
import { type Columns, columnOf, numbersOf } from '../data/index.js'
import { blocksOf, groupsOf, type Per } from './column-groups.js'
import type { Fitting } from './step.js'

/** Statistics of the groups of one column, float64. NaN counts as missing and is left out. */
export interface Moments {
  count: Float64Array
  mean: Float64Array
  /** Sum of squared differences from the mean. */
  squares: Float64Array
  least: Float64Array
  greatest: Float64Array
}

/** Moments by column name. */
export type MomentsByColumn = Map<string, Moments>

/**
 * The fitting of steps that need moments.
 *
 * @param finish - What the step keeps of one column.
 */
export function momentsFitting(
  kind: string,
  names: readonly string[],
  per: Per,
  finish: (moments: Moments, name: string) => ReturnType<Fitting<MomentsByColumn>['finish']>,
): Fitting<MomentsByColumn> {
  return {
    start: () => new Map(),
    update(state, columns) {
      for (const name of names) addColumn(state, columns, name, kind, per)
    },
    merge(first, second) {
      for (const [name, moments] of second) {
        const before = first.get(name)
        if (before) mergeMoments(before, moments)
        else first.set(name, moments)
      }
      return first
    },
    finish(state) {
      return Object.fromEntries(
        names.map((name) => {
          const moments = state.get(name)
          if (!moments || moments.count.includes(0))
            throw new DataError(`${kind} found no value in a part of the column "${name}".`, {
              remedy: 'Drop the column, or fill it with impute() first',
            })
          return [name, finish(moments, name)]
        }),
      )
    },
  }
}

function addColumn(state: MomentsByColumn, columns: Columns, name: string, kind: string, per: Per): void {
  const column = columnOf(columns, name, kind)
  const data = numbersOf(column, name, kind)
  const groups = groupsOf(column.shape, per)
  let moments = state.get(name)
  if (!moments) {
    moments = noMoments(groups)
    state.set(name, moments)
  }
  for (const block of blocksOf(data, groups)) mergeMoments(moments, momentsOf(block, groups))
}

/**
 * Moments of some values: the mean first, then the squares of the differences from it, so that nothing cancels. Values
 * are counted from the first of their group, so that of a constant the mean is that constant, without rounding.
 */
function momentsOf(data: TypedArray, groups: number): Moments {
  const moments = noMoments(groups)
  for (let group = 0; group < groups; group++) {
    let start = group
    while (start < data.length && Number.isNaN(data[start]!)) start += groups
    if (start >= data.length) continue
    const first = data[start]!
    let count = 0
    let sum = 0
    for (let i = start; i < data.length; i += groups) {
      const value = data[i]!
      if (Number.isNaN(value)) continue
      count++
      sum += value - first
    }
    const mean = first + sum / count
    let squares = 0
    let least = first
    let greatest = first
    for (let i = start; i < data.length; i += groups) {
      const value = data[i]!
      if (Number.isNaN(value)) continue
      squares += (value - mean) * (value - mean)
      if (value < least) least = value
      if (value > greatest) greatest = value
    }
    moments.count[group] = count
    moments.mean[group] = mean
    moments.squares[group] = squares
    moments.least[group] = least
    moments.greatest[group] = greatest
  }
  return moments
}

const noMoments = (groups: number): Moments => ({
  count: new Float64Array(groups),
  mean: new Float64Array(groups),
  squares: new Float64Array(groups),
  least: new Float64Array(groups).fill(Number.POSITIVE_INFINITY),
  greatest: new Float64Array(groups).fill(Number.NEGATIVE_INFINITY),
})

function mergeMoments(into: Moments, other: Moments): void {
  for (let g = 0; g < into.count.length; g++) {
    const a = into.count[g]!
    const b = other.count[g]!
    if (b === 0) continue
    const delta = other.mean[g]! - into.mean[g]!
    into.count[g] = a + b
    // The mean of no values is none: what comes first is taken without rounding.
    into.mean[g] = a === 0 ? other.mean[g]! : into.mean[g]! + (delta * b) / (a + b)
    into.squares[g]! += other.squares[g]! + (delta * delta * a * b) / (a + b)
    into.least[g] = Math.min(into.least[g]!, other.least[g]!)
    into.greatest[g] = Math.max(into.greatest[g]!, other.greatest[g]!)
  }
}
