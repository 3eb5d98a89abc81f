/** Columns of categories: numbers or strings, one per row. @module */

import { DataError, ShapeError } from '../core/index.js'
import { type Column, type Columns, columnOf } from '../data/index.js'
import type { Fitting, Json } from './step.js'

/** What stands for a category. */
export type Category = number | string

/** The categories that were met, by column. */
export type SeenCategories = Map<string, Set<Category>>

/** NaN and the empty string are missing values, not categories. */
export const isMissing = (value: Category) => value === '' || Number.isNaN(value)

/** The order of categories: numbers by size, texts by their characters. */
export const byCategory = (a: Category, b: Category) => (a < b ? -1 : a > b ? 1 : 0)

/** A column with one value per row. */
export function categoryColumn(columns: Columns, name: string, kind: string): Column {
  const column = columnOf(columns, name, kind)
  if (column.shape.length !== 1)
    throw new ShapeError(`${kind} needs one value per row in the column "${name}".`, {
      expected: '[rows]',
      received: column.shape,
    })
  return column
}

/** Collects the categories of columns; what is kept is a sorted list of each, or the one that was given. */
export function categoriesFitting(
  kind: string,
  names: readonly string[],
  given?: readonly Category[],
): Fitting<SeenCategories> {
  return {
    start: () => new Map(names.map((name) => [name, new Set()])),
    update(state, columns) {
      for (const name of names) {
        const { data } = categoryColumn(columns, name, kind)
        const seen = state.get(name)!
        for (const value of data) if (!isMissing(value)) seen.add(value)
      }
    },
    merge(first, second) {
      for (const [name, seen] of second) for (const value of seen) first.get(name)!.add(value)
      return first
    },
    finish: (state): Json =>
      Object.fromEntries(names.map((name) => [name, given ? [...given] : sorted(state.get(name)!, name, kind)])),
  }
}

/** An error that says which category was not there when the step was fitted. */
export function unseenCategory(
  kind: string,
  name: string,
  value: Category,
  known: readonly Category[],
  remedy: string,
) {
  return new DataError(`${kind} met an unseen category in the column "${name}".`, {
    expected: known.length > 12 ? `one of ${known.length} categories` : `one of ${known.join(', ')}`,
    received: JSON.stringify(value),
    remedy,
  })
}

function sorted(seen: Set<Category>, name: string, kind: string): Category[] {
  if (seen.size === 0) throw new DataError(`${kind} found no category in the column "${name}".`)
  return [...seen].sort(byCategory)
}
