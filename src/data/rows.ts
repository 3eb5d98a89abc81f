/** Rows as a view on columns, and columns made from rows. @module */

import {
  createTypedArray,
  isTypedArray,
  isWholeBeyondFloat32,
  overflowsFloat32,
  rowSize,
  sizeOf,
  type TypedArray,
  typedArrayName,
} from '../core/index.js'
import { type RowProblem, rowError } from './bad-rows.js'
import { type Column, type Columns, gatherRows } from './columns.js'

/**
 * One row as an object: a number or a string for a column `[rows]`, otherwise a flat view on the column's memory
 * (`x` of shape `[rows, 28, 28, 1]` gives a typed array of 784 values). Read only.
 */
export type Row = Record<string, unknown>

/** Row `index` of columns. */
export function rowAt(columns: Columns, index: number): Row {
  const row: Row = {}
  for (const name of Object.keys(columns)) {
    const { data, shape } = columns[name]!
    if (shape.length === 1) row[name] = data[index]
    else {
      const size = rowSize(shape)
      row[name] = Array.isArray(data)
        ? data.slice(index * size, (index + 1) * size)
        : data.subarray(index * size, (index + 1) * size)
    }
  }
  return row
}

/** How rows become columns. */
export interface RowsOptions {
  /** Number of the first row, for messages. @default 0 */
  firstRow?: number
  /**
   * Earlier rows of the same dataset: their columns, kinds and shapes are kept. A flat array that fills the shape of its
   * column there gets that shape.
   */
  like?: Columns | undefined
  /** Is told of rows that do not fit, by their index; they are left out. @default the first is an error */
  reject?: RejectRow
  /** Whether plain numbers stay float64, as they are in JavaScript. @default float32, unless that changes a whole number */
  exact?: boolean
}

/**
 * Columns from rows.
 *
 * A number or boolean becomes float32, or float64 in a column with a whole number that 32 bits would change, such as an
 * id (cast() makes other kinds); a typed array keeps its kind; an array of numbers, also nested, becomes a column of its
 * shape; a string stays one. `null`, `undefined` and absent are a missing value: NaN, or an empty string. The first row
 * that has a value decides for its column.
 *
 * @param rows - At least one.
 * @throws {DataError} without `reject`: it names the row and the column.
 */
export function columnsOfRows(
  rows: readonly Row[],
  { firstRow = 0, like, reject, exact = false }: RowsOptions = {},
): Columns {
  const names = like ? Object.keys(like) : Object.keys(rows[0] ?? {})
  const known = new Set(names)
  const bad = new Set<number>()
  const drop: RejectRow = (i, problem) => {
    if (!reject) throw rowError(`Row ${firstRow + i}`, problem)
    if (!bad.has(i)) reject(i, problem)
    bad.add(i)
  }
  rows.forEach((row, i) => {
    if (typeof row !== 'object' || row === null) drop(i, { what: 'this is no object', value: row })
    else
      for (const name in row) {
        if (known.has(name)) continue
        drop(i, {
          what: 'earlier rows lack this column',
          column: name,
          expected: `the columns ${names.join(', ')}`,
          remedy: 'Give every row the same columns',
        })
      }
  })
  const columns: Columns = {}
  for (const name of names) columns[name] = columnOfValues(rows, name, drop, { like: like?.[name], exact })
  if (bad.size === 0) return columns
  return gatherRows(
    columns,
    rows.flatMap((_, i) => (bad.has(i) ? [] : [i])),
  )
}

/** Is told of a row that does not fit. */
type RejectRow = (index: number, problem: RowProblem) => void

/** Keeps the shape of columns that went through rows as flat arrays: `like` where kind of row and length agree. */
export function restoreShapes(columns: Columns, like: Columns): Columns {
  const restored: Columns = {}
  for (const name of Object.keys(columns)) {
    const { data, shape } = columns[name]!
    const before = like[name]?.shape
    const fits = before && shape.length === 2 && rowSize(before) === shape[1]
    restored[name] = { data, shape: fits ? [shape[0]!, ...before.slice(1)] : shape }
  }
  return restored
}

function columnOfValues(
  rows: readonly Row[],
  name: string,
  drop: RejectRow,
  { like, exact }: { like: Column | undefined; exact: boolean },
): Column {
  const form = like ? formOfColumn(like) : formOfValue(rows.find((row) => !isMissing(row?.[name]))?.[name])
  const { empty, shape } = form
  const size = sizeOf(shape)
  const data = empty(rows.length * size)
  rows.forEach((row, i) => {
    const value = row?.[name]
    if (writeValue(data, i * size, size, value)) return
    const number = data instanceof Float32Array ? 'a number that 32 bits hold' : 'a number'
    const kind = Array.isArray(data) ? 'text' : number
    drop(i, {
      what: 'the value does not fit',
      column: name,
      expected: shape.length === 0 ? kind : `values of shape [${shape.join(', ')}], each ${kind}`,
      value: isTypedArray(value) ? `${value.length} values` : value,
    })
  })
  return { data: form.isPlain && !exact ? narrowed(data) : data, shape: [rows.length, ...shape] }
}

interface Form {
  empty(length: number): TypedArray | string[]
  shape: number[]
  /** Whether the values are plain numbers or texts, of no kind that must be kept. */
  isPlain?: boolean
}

function formOfColumn({ data, shape }: Column): Form {
  const empty = Array.isArray(data)
    ? (length: number) => new Array<string>(length).fill('')
    : (length: number) => createTypedArray(typedArrayName(data), length)
  return { empty, shape: shape.slice(1) }
}

function formOfValue(value: unknown): Form {
  if (isTypedArray(value))
    return { empty: (length) => createTypedArray(typedArrayName(value), length), shape: [value.length] }
  const shape: number[] = []
  let leaf = value
  while (Array.isArray(leaf)) {
    shape.push(leaf.length)
    leaf = leaf[0]
  }
  const empty =
    typeof leaf === 'string'
      ? (length: number) => new Array<string>(length).fill('')
      : (length: number) => new Float64Array(length)
  return { empty, shape, isPlain: true }
}

/** Numbers as float32 where no whole number changes by it. */
function narrowed(data: TypedArray | string[]): TypedArray | string[] {
  return Array.isArray(data) || data.some(isWholeBeyondFloat32) ? data : Float32Array.from(data)
}

const isMissing = (value: unknown) => value === null || value === undefined

/** Writes one row's value at `offset`; false where it does not fit. */
function writeValue(data: TypedArray | string[], offset: number, size: number, value: unknown): boolean {
  if (isMissing(value)) return fillMissing(data, offset, size)
  if (isTypedArray(value)) {
    if (Array.isArray(data) || value.length !== size) return false
    data.set(value, offset)
    return true
  }
  const flat: readonly unknown[] = Array.isArray(value) ? value.flat(Number.POSITIVE_INFINITY) : [value]
  if (flat.length !== size) return false
  for (let j = 0; j < size; j++) {
    const item = flat[j]
    if (Array.isArray(data)) {
      if (typeof item !== 'string') return false
      data[offset + j] = item
    } else if (typeof item === 'number' || typeof item === 'boolean') {
      const number = Number(item)
      if (data instanceof Float32Array && overflowsFloat32(number)) return false
      data[offset + j] = number
    } else if (!isMissing(item) || !fillMissing(data, offset + j, 1)) return false
  }
  return true
}

/** False for integers, which have no NaN. */
function fillMissing(data: TypedArray | string[], offset: number, size: number): boolean {
  if (Array.isArray(data)) data.fill('', offset, offset + size)
  else if (data instanceof Float32Array || data instanceof Float64Array) data.fill(Number.NaN, offset, offset + size)
  else return false
  return true
}
