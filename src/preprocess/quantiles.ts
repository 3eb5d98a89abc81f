/**
 * The fitting of steps that need quantiles: one pass, mergeable, exact up to a number of values.
 * @module
 */

import { DataError } from '../core/index.js'
import { type Columns, columnOf, numbersOf } from '../data/index.js'
import { groupsOf, type Per } from './column-groups.js'
import type { Distribution } from './distribution.js'
import { QuantileSketch } from './quantile-sketch.js'
import type { Fitting, Json } from './step.js'

/** Values kept per column: each group has its share of them, within the bounds below. */
const KEPT_VALUES = 2 ** 22
const LEAST_PER_GROUP = 1000
const MOST_PER_GROUP = 100_000

/** One sketch per group, by column. */
export type SketchesByColumn = Map<string, QuantileSketch[]>

/** @param finish - What the step keeps of one column; gets the distribution of each group, without NaN. */
export function quantileFitting(
  kind: string,
  names: readonly string[],
  per: Per,
  finish: (groups: Distribution[], name: string) => Json,
): Fitting<SketchesByColumn> {
  return {
    start: () => new Map(),
    update(state, columns) {
      for (const name of names) addColumn(state, columns, name, kind, per)
    },
    merge(first, second) {
      for (const [name, sketches] of second) {
        const before = first.get(name)
        if (before) for (const [g, sketch] of before.entries()) sketch.merge(sketches[g]!)
        else first.set(name, sketches)
      }
      return first
    },
    finish(state) {
      return Object.fromEntries(
        names.map((name) => {
          const sketches = state.get(name)
          if (!sketches || sketches.some(({ count }) => count === 0))
            throw new DataError(`${kind} found no value in a part of the column "${name}".`, {
              remedy: 'Drop the column, or fill it with impute() first',
            })
          return [
            name,
            finish(
              sketches.map((sketch) => sketch.distribution()),
              name,
            ),
          ]
        }),
      )
    },
  }
}

function addColumn(state: SketchesByColumn, columns: Columns, name: string, kind: string, per: Per): void {
  const column = columnOf(columns, name, kind)
  const data = numbersOf(column, name, kind)
  const groups = groupsOf(column.shape, per)
  let sketches = state.get(name)
  if (!sketches) {
    const capacity = Math.max(LEAST_PER_GROUP, Math.min(MOST_PER_GROUP, Math.floor(KEPT_VALUES / groups)))
    sketches = Array.from({ length: groups }, () => new QuantileSketch(capacity))
    state.set(name, sketches)
  }
  for (let i = 0, group = 0; i < data.length; i++) {
    const value = data[i]!
    if (!Number.isNaN(value)) sketches[group]!.add(value)
    if (++group === groups) group = 0
  }
}
