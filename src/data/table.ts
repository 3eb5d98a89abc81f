/**
 * Columns of tables: which, of which types, and the values that do not fit.
 *
 * What every reader of tables shares; the formats are in csv.ts, parquet.ts, arrow.ts and sql.ts.
 * @module
 */

import {
  ConfigError,
  createTypedArray,
  DataError,
  didYouMean,
  isTypedArray,
  overflowsFloat32,
  rowSize,
  type TypedArrayName,
} from '../core/index.js'
import type { BadRowPass, OnError, Place, RowProblem } from './bad-rows.js'
import { type Column, type Columns, gatherRows } from './columns.js'

/** Kinds of values in a table. */
export type ColumnType = 'float32' | 'float64' | 'int32' | 'uint8' | 'string'

/** What is read of a table. */
export interface TableOptions {
  /** Which columns to read, with their types; or names alone, with types by the file. @default all */
  columns?: Record<string, ColumnType> | readonly string[]
  /** The column to predict: it becomes `y`, and all others, which must be numbers, become `x` `[rows, others]`. */
  target?: string
  /** What happens at a row that cannot be read. @default 'throw' */
  onError?: OnError
}

/** Those options: none has a default. */
export const tableDefaults = { columns: undefined, target: undefined, onError: undefined } as const

/** A column that is read. */
export interface Field {
  name: string
  /** Its number in the file. */
  place: number
  type: ColumnType
  /** Values of a row, of a column of lists; `'first'`: as many as the first list has. */
  size?: number | 'first'
  /** Whether dates are days, without a time. */
  isDay?: boolean
}

/** How a column is read. */
export type ColumnForm = Pick<Field, 'type' | 'size' | 'isDay'>

const arrays: Readonly<Record<Exclude<ColumnType, 'string'>, TypedArrayName>> = {
  float32: 'Float32Array',
  float64: 'Float64Array',
  int32: 'Int32Array',
  uint8: 'Uint8Array',
}

const expectations: Readonly<Record<ColumnType, string>> = {
  float32: 'a number that 32 bits hold',
  float64: 'a number that 64 bits hold exactly',
  int32: 'a whole number of 32 bits',
  uint8: 'a whole number, 0 to 255',
  string: 'text',
}

/**
 * The columns that are wanted.
 *
 * @param formOf - How a column is read whose type nobody gives.
 * @throws {DataError} for a column that is not there, or two of the same name.
 * @throws {ConfigError} for an unknown type.
 */
export function chooseFields(
  file: string,
  names: readonly string[],
  { columns, target }: TableOptions,
  formOf: (place: number, isTarget: boolean) => ColumnForm,
): Field[] {
  const isListed = Array.isArray(columns)
  const wanted = columns === undefined ? [...names] : isListed ? [...columns] : Object.keys(columns)
  if (target !== undefined && !wanted.includes(target)) wanted.push(target)
  return wanted.map((name) => {
    const place = names.indexOf(name)
    if (place < 0)
      throw new DataError(`${file} has no column "${name}".`, {
        received: `the columns ${names.join(', ')}`,
        remedy: didYouMean(name, names),
      })
    const twin = names.indexOf(name, place + 1)
    if (twin >= 0)
      throw new DataError(`${file} has two columns "${name}".`, {
        received: `columns ${place + 1} and ${twin + 1}`,
        remedy: 'Rename one of them',
      })
    const given = columns && !isListed ? (columns as Record<string, ColumnType>)[name] : undefined
    if (given !== undefined && !(given in expectations))
      throw new ConfigError(`The type of the column "${name}" is unknown.`, {
        expected: Object.keys(expectations).join(', '),
        received: given,
      })
    return { name, place, ...formOf(place, name === target), ...(given && { type: given }) }
  })
}

/**
 * Rows as columns, without those that do not fit, which `pass` is told of.
 *
 * @param rows - How many there are.
 * @param valuesOf - The values of a column, row after row: text, numbers, bigints, booleans, dates, lists of numbers;
 *   null, undefined and the empty text are missing: NaN, or an empty text.
 */
export function columnsOfTable(
  fields: readonly Field[],
  rows: number,
  valuesOf: (field: Field) => ArrayLike<unknown>,
  { target }: TableOptions,
  { pass, placeOf }: { pass: BadRowPass; placeOf: (row: number) => Place },
): Columns {
  const problems = new Map<number, RowProblem>()
  const columns: Columns = {}
  for (const field of fields) columns[field.name] = columnOfValues(field, rows, valuesOf(field), problems)
  const kept = problems.size === 0 ? columns : gatherRows(columns, goodRows(rows, problems))
  for (const [row, problem] of problems) pass.add(placeOf(row), problem)
  pass.settle()
  return target === undefined ? kept : withTarget(kept, target)
}

function goodRows(rows: number, problems: ReadonlyMap<number, unknown>): number[] {
  return Array.from({ length: rows }, (_, row) => row).filter((row) => !problems.has(row))
}

function columnOfValues(
  field: Field,
  rows: number,
  values: ArrayLike<unknown>,
  problems: Map<number, RowProblem>,
): Column {
  const { name, type, isDay = false } = field
  if (field.size === 'first') field.size = lengthOfFirst(values) ?? 'first'
  // Without a list so far, no row fits, and how long they are stays open.
  const size = field.size === 'first' ? 1 : field.size
  const width = size ?? 1
  const data =
    type === 'string' ? new Array<string>(rows * width).fill('') : createTypedArray(arrays[type], rows * width)
  const reject = (row: number, value: unknown, expected = expectations[type]) => {
    if (problems.has(row)) return
    const remedy = `Mend the file, pass columns with another type for "${name}", or onError: 'skip' to leave such rows out`
    problems.set(row, { what: 'the value does not fit', column: name, value, expected, remedy })
  }
  const write = Array.isArray(data)
    ? (at: number, value: unknown) => {
        const text = textOf(value, isDay)
        data[at] = text ?? ''
        return text !== undefined
      }
    : (at: number, value: unknown) => {
        const number = numberOf(value)
        data[at] = number
        // 32 bits round; all else must be kept as it is, and NaN only where it was meant.
        if (type === 'float32') return Number.isNaN(number) ? isMissing(value) : !overflowsFloat32(number)
        return data[at] === number || (type === 'float64' && isMissing(value))
      }
  for (let row = 0; row < rows; row++) {
    const value = values[row]
    if (size === undefined) {
      if (!write(row, value)) reject(row, value)
    } else if (!(Array.isArray(value) || isTypedArray(value)) || value.length !== size) {
      reject(row, value, `${size} values, as in the first row`)
    } else for (let i = 0; i < size; i++) if (!write(row * size + i, value[i])) reject(row, value[i])
  }
  return { data, shape: size === undefined ? [rows] : [rows, size] }
}

function lengthOfFirst(values: ArrayLike<unknown>): number | undefined {
  for (let row = 0; row < values.length; row++) {
    const value = values[row]
    if (Array.isArray(value) || isTypedArray(value)) return value.length
  }
  return undefined
}

/** NaN for what is missing, and for what is no number. */
function numberOf(value: unknown): number {
  if (typeof value === 'number') return value
  if (typeof value === 'string') {
    const number = Number(value)
    return number === 0 && value.trim() === '' ? Number.NaN : number
  }
  if (typeof value === 'bigint') {
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : Number.NaN
  }
  return typeof value === 'boolean' || value instanceof Date ? Number(value) : Number.NaN
}

/** Whether a value stands for one that is missing: nothing, blanks, or NaN by name. */
function isMissing(value: unknown): boolean {
  if (typeof value === 'string') return /^\s*(NaN)?\s*$/.test(value)
  return value === null || value === undefined || Number.isNaN(value)
}

/** Whether text is a number, or missing. */
export const isNumeric = (text: string): boolean => !Number.isNaN(Number(text)) || isMissing(text)

/** Undefined for what is no text. */
function textOf(value: unknown, isDay: boolean): string | undefined {
  switch (typeof value) {
    case 'string':
      return value
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value)
    default:
      if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString().slice(0, isDay ? 10 : 24)
      return value === null || value === undefined ? '' : undefined
  }
}

function withTarget(columns: Columns, target: string): Columns {
  const features = Object.keys(columns).filter((name) => name !== target)
  const y: Column = columns[target]!
  const rows = y.shape[0]!
  const width = features.reduce((sum, name) => sum + rowSize(columns[name]!.shape), 0)
  const x = new Float32Array(rows * width)
  let start = 0
  for (const name of features) {
    const { data, shape } = columns[name]!
    const size = rowSize(shape)
    if (Array.isArray(data))
      throw new DataError(`The column "${name}" holds text, which cannot be a part of x.`, {
        remedy: 'Leave target out and encode it with a Preprocessor, or name the columns to read',
      })
    for (let row = 0; row < rows; row++)
      for (let i = 0; i < size; i++) x[row * width + start + i] = data[row * size + i]!
    start += size
  }
  return { x: { data: x, shape: [rows, width] }, y }
}
