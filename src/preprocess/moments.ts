/**
 * Count, mean, variance, least and greatest value in one pass, mergeable.
 *
 * @see Chan, Golub, LeVeque 1979, "Updating formulae and a pairwise algorithm for computing sample variances"
 * @module
 */

import { DataError } from '../core/index.js'
import { type Columns, columnOf, numbersOf } from '../data/index.js'
import { groupsOf, type Per } from './column-groups.js'
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
    moments = {
      count: new Float64Array(groups),
      mean: new Float64Array(groups),
      squares: new Float64Array(groups),
      least: new Float64Array(groups).fill(Number.POSITIVE_INFINITY),
      greatest: new Float64Array(groups).fill(Number.NEGATIVE_INFINITY),
    }
    state.set(name, moments)
  }
  const { count, mean, squares, least, greatest } = moments
  for (let i = 0, group = 0; i < data.length; i++) {
    const value = data[i]!
    // Welford's update.
    if (!Number.isNaN(value)) {
      const n = ++count[group]!
      const delta = value - mean[group]!
      mean[group]! += delta / n
      squares[group]! += delta * (value - mean[group]!)
      if (value < least[group]!) least[group] = value
      if (value > greatest[group]!) greatest[group] = value
    }
    if (++group === groups) group = 0
  }
}

function mergeMoments(into: Moments, other: Moments): void {
  for (let g = 0; g < into.count.length; g++) {
    const a = into.count[g]!
    const b = other.count[g]!
    if (b === 0) continue
    const delta = other.mean[g]! - into.mean[g]!
    into.count[g] = a + b
    into.mean[g]! += (delta * b) / (a + b)
    into.squares[g]! += other.squares[g]! + (delta * delta * a * b) / (a + b)
    into.least[g] = Math.min(into.least[g]!, other.least[g]!)
    into.greatest[g] = Math.max(into.greatest[g]!, other.greatest[g]!)
  }
}
