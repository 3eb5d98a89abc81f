/**
 * Columns: the one form in which data moves through dcml. Every function here returns new columns and changes none.
 * @module
 */

import {
  createTypedArray,
  DataError,
  didYouMean,
  isTypedArray,
  rowSize,
  ShapeError,
  sameShape,
  sizeOf,
  type TypedArray,
  typedArrayName,
} from '../core/index.js'

/** One named quantity of every row. */
export interface Column {
  /** The values, row after row. Read only: several datasets may share it. */
  data: TypedArray | string[]
  /** `[rows, ...]`; the product is the length of `data`. */
  shape: number[]
}

/** Rows, stored by column. Every column has the same number of rows. */
export type Columns = Record<string, Column>

/** Number of rows; 0 without columns. */
export function rowsOf(columns: Columns): number {
  for (const name in columns) return columns[name]!.shape[0]!
  return 0
}

/**
 * Throws unless columns fit their shapes and each other.
 *
 * @throws {DataError} for no columns, or data that is neither a typed array nor strings.
 * @throws {ShapeError} for lengths that do not match shapes, or unequal numbers of rows.
 */
export function checkColumns(columns: Columns): void {
  const names = Object.keys(columns ?? {})
  if (names.length === 0)
    throw new DataError('A dataset needs at least one column.', { remedy: 'Pass { x: ..., y: ... }' })
  const rows = columns[names[0]!]?.shape?.[0]
  for (const name of names) {
    const { data, shape } = columns[name]!
    if (!isTypedArray(data) && !Array.isArray(data))
      throw new DataError(`Column "${name}" holds no array.`, { expected: 'a typed array or string[]', received: data })
    if (!Array.isArray(shape) || shape.length === 0 || !shape.every((size) => Number.isInteger(size) && size >= 0))
      throw new ShapeError(`Column "${name}" has no valid shape.`, { expected: '[rows, ...]', received: shape })
    if (sizeOf(shape) !== data.length)
      throw new ShapeError(`The data of column "${name}" does not fill its shape.`, {
        expected: `${sizeOf(shape)} values for [${shape.join(', ')}]`,
        received: `${data.length} values`,
      })
    if (shape[0] !== rows)
      throw new ShapeError('The columns of a dataset have unequal numbers of rows.', {
        expected: `${rows} rows, as in "${names[0]}"`,
        received: `${shape[0]} rows in "${name}"`,
      })
  }
}

/**
 * One column by name.
 *
 * @throws {DataError} that lists the names there are.
 */
export function columnOf(columns: Columns, name: string, reader = 'This operation'): Column {
  const column = Object.hasOwn(columns, name) ? columns[name] : undefined
  if (column) return column
  throw new DataError(`${reader} needs the column "${name}".`, {
    received: `the columns ${Object.keys(columns).join(', ')}`,
    remedy: didYouMean(name, Object.keys(columns)) ?? 'Name one of these columns, or rename yours with rename()',
  })
}

/** The rows from `start` up to but not including `end`, as views on the same memory where they are numbers. */
export function sliceColumns(columns: Columns, start: number, end: number): Columns {
  return mapColumns(columns, ({ data, shape }) => {
    const size = rowSize(shape)
    const part = Array.isArray(data) ? data.slice(start * size, end * size) : data.subarray(start * size, end * size)
    return { data: part, shape: [end - start, ...shape.slice(1)] }
  })
}

/** The rows at `indices`, in that order, copied. An index may occur more than once. */
export function gatherRows(columns: Columns, indices: ArrayLike<number>): Columns {
  return mapColumns(columns, ({ data, shape }) => ({
    data: gather(data, rowSize(shape), indices),
    shape: [indices.length, ...shape.slice(1)],
  }))
}

/**
 * All rows of several parts, one part after the other.
 *
 * @throws {DataError} if the parts differ in their columns, kinds of numbers or shapes of a row.
 */
export function concatColumns(parts: readonly Columns[]): Columns {
  const first = parts[0]
  if (!first) return {}
  if (parts.length === 1) return first
  for (const part of parts) assertAlike(first, part)
  const rows = parts.reduce((sum, part) => sum + rowsOf(part), 0)
  const joined: Columns = {}
  for (const name of Object.keys(first)) {
    const { data, shape } = first[name]!
    const pieces = parts.map((part) => part[name]!.data)
    joined[name] = { data: concat(data, pieces, rows * rowSize(shape)), shape: [rows, ...shape.slice(1)] }
  }
  return joined
}

/** Throws unless rows of `second` may follow rows of `first`. */
export function assertAlike(first: Columns, second: Columns): void {
  const form = (columns: Columns) =>
    Object.keys(columns)
      .sort()
      .map((name) => `${name}: ${kindOf(columns[name]!)}[${columns[name]!.shape.slice(1).join(', ')}]`)
      .join('; ')
  const alike =
    Object.keys(first).length === Object.keys(second).length &&
    Object.entries(first).every(([name, { data, shape }]) => {
      const other = second[name]
      return other && kindOf(other) === kindOf({ data, shape }) && sameShape(shape.slice(1), other.shape.slice(1))
    })
  if (!alike)
    throw new DataError('Two parts of a dataset differ in their columns.', {
      expected: form(first),
      received: form(second),
      remedy: 'Give every row the same columns, shapes and kinds of values',
    })
}

/** The columns that a function makes of each. */
function mapColumns(columns: Columns, f: (column: Column, name: string) => Column): Columns {
  const mapped: Columns = {}
  for (const name of Object.keys(columns)) mapped[name] = f(columns[name]!, name)
  return mapped
}

/** The numbers of a column. @throws {DataError} if it holds strings. */
export function numbersOf(column: Column, name: string, reader: string): TypedArray {
  if (!Array.isArray(column.data)) return column.data
  throw new DataError(`${reader} needs numbers in the column "${name}".`, {
    received: 'strings',
    remedy: `Encode it first, for example with oneHot('${name}')`,
  })
}

/** `Float32Array`, ..., or `string`. */
const kindOf = ({ data }: Column) => (Array.isArray(data) ? 'string' : typedArrayName(data))

function gather(data: TypedArray | string[], size: number, indices: ArrayLike<number>): TypedArray | string[] {
  if (Array.isArray(data)) {
    const out: string[] = new Array(indices.length * size)
    for (let i = 0; i < indices.length; i++)
      for (let j = 0; j < size; j++) out[i * size + j] = data[indices[i]! * size + j]!
    return out
  }
  const out = createTypedArray(typedArrayName(data), indices.length * size)
  // One value per row is the common case of targets; a subarray per row would cost more than the copy.
  if (size === 1) for (let i = 0; i < indices.length; i++) out[i] = data[indices[i]!]!
  else
    for (let i = 0; i < indices.length; i++) {
      const start = indices[i]! * size
      out.set(data.subarray(start, start + size), i * size)
    }
  return out
}

function concat(like: TypedArray | string[], pieces: (TypedArray | string[])[], length: number): TypedArray | string[] {
  if (Array.isArray(like)) return (pieces as string[][]).flat()
  const out = createTypedArray(typedArrayName(like), length)
  let offset = 0
  for (const piece of pieces as TypedArray[]) {
    out.set(piece, offset)
    offset += piece.length
  }
  return out
}
