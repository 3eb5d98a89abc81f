/**
 * Data as columns: one typed array per name, the rows one after another.
 * @module
 */

import { createTypedArray, DataError, ShapeError, sizeOf, type TypedArray, typedArrayName } from '../core/index.js'

/** One column. */
export interface Column {
  data: TypedArray | string[]
  /** `[rows, ...]` */
  shape: number[]
}

/** Columns by name, all with the same number of rows. */
export type Columns = Record<string, Column>

/** Number of rows. */
export function rowsOf(columns: Columns): number {
  return Object.values(columns)[0]?.shape[0] ?? 0
}

/** Checks lengths and shapes. */
export function checkColumns(columns: Columns): void {
  const names = Object.keys(columns)
  if (names.length === 0) throw new DataError('A dataset has no columns.', { remedy: 'Give at least one' })
  const rows = rowsOf(columns)
  for (const [name, { data, shape }] of Object.entries(columns)) {
    if (shape.length === 0 || data.length !== sizeOf(shape))
      throw new ShapeError(`The data of column '${name}' does not fit its shape.`, {
        expected: shape.length === 0 ? 'a shape [rows, ...]' : `${sizeOf(shape)} values for ${JSON.stringify(shape)}`,
        received: shape.length === 0 ? '[]' : `${data.length} values`,
      })
    if (shape[0] !== rows)
      throw new ShapeError(`Column '${name}' has another number of rows than '${names[0]}'.`, {
        expected: rows,
        received: shape[0],
      })
  }
}

/** Gathers rows into new columns. */
export function gatherRows(columns: Columns, rows: ArrayLike<number>): Columns {
  const gathered: Columns = {}
  for (const [name, { data, shape }] of Object.entries(columns)) {
    const size = sizeOf(shape.slice(1))
    const newShape = [rows.length, ...shape.slice(1)]
    if (Array.isArray(data)) {
      const values: string[] = []
      for (let i = 0; i < rows.length; i++) for (let j = 0; j < size; j++) values.push(data[rows[i]! * size + j]!)
      gathered[name] = { data: values, shape: newShape }
      continue
    }
    const values = createTypedArray(typedArrayName(data), rows.length * size)
    for (let i = 0; i < rows.length; i++) {
      const start = rows[i]! * size
      if (size === 1) values[i] = data[start]!
      else values.set(data.subarray(start, start + size), i * size)
    }
    gathered[name] = { data: values, shape: newShape }
  }
  return gathered
}

/** Puts parts with the same columns one after another. */
export function concatColumns(parts: readonly Columns[]): Columns {
  const first = parts[0]
  if (!first) return {}
  if (parts.length === 1) return first
  const rows = parts.reduce((sum, part) => sum + rowsOf(part), 0)
  const joined: Columns = {}
  for (const [name, { data, shape }] of Object.entries(first)) {
    const columns = parts.map((part) => {
      const column = part[name]
      if (!column || String(column.shape.slice(1)) !== String(shape.slice(1)))
        throw new ShapeError(`Column '${name}' changes its shape from one batch to another.`, {
          expected: JSON.stringify(shape.slice(1)),
          received: column ? JSON.stringify(column.shape.slice(1)) : 'no such column',
        })
      return column
    })
    const newShape = [rows, ...shape.slice(1)]
    if (Array.isArray(data)) {
      joined[name] = { data: columns.flatMap((column) => column.data as string[]), shape: newShape }
      continue
    }
    const values = createTypedArray(typedArrayName(data), sizeOf(newShape))
    let at = 0
    for (const column of columns) {
      values.set(column.data as TypedArray, at)
      at += column.data.length
    }
    joined[name] = { data: values, shape: newShape }
  }
  return joined
}
