/**
 * The precision of numbers, the same in training and in use: 0.7 as float32 lies below 0.7, so a bin, a category or a
 * hash could differ for one value.
 * @module
 */

import type { Columns } from '../data/index.js'

/** Those of some columns that are float32. */
export const float32Among = (columns: Columns, names: readonly string[]): ReadonlySet<string> =>
  new Set(names.filter((name) => columns[name]?.data instanceof Float32Array))

/** Columns with some of them rounded to float32 where they are float64. */
export function inPrecision(columns: Columns, float32: ReadonlySet<string> = new Set()): Columns {
  const rounded: Columns = {}
  for (const name of float32) {
    const { data, shape } = columns[name] ?? {}
    if (data instanceof Float64Array) rounded[name] = { data: Float32Array.from(data), shape: shape! }
  }
  return { ...columns, ...rounded }
}
