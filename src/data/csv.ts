/** Comma-separated values, streamed. @module */

import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { CsvError, parse } from 'csv-parse'
import { ConfigError, createTypedArray, DataError, didYouMean } from '../core/index.js'
import type { Column, Columns } from './columns.js'
import { Dataset } from './dataset.js'

/** Kinds of values in a table. */
export type CsvType = 'float32' | 'int32' | 'string'

/** How a table is read. */
export interface CsvOptions {
  /**
   * Which columns to read, with their types; or names alone, with types from the first 1,024 rows: float32 where every
   * value is a number, otherwise string. Without a header, the names of the columns from left to right.
   * @default all
   */
  columns?: Record<string, CsvType> | readonly string[]
  /** @default ',' */
  delimiter?: string
  /** Whether the first line names the columns; otherwise they are called `c0`, `c1`, ... @default true */
  header?: boolean
  /** Lines to leave out before all others. @default 0 */
  skipLines?: number
  /** The column to predict: it becomes `y`, and all others, which must be numbers, become `x` `[rows, others]`. */
  target?: string
}

const CHUNK_ROWS = 1024
const arrays = { float32: 'Float32Array', int32: 'Int32Array' } as const

interface Line {
  record: string[]
  info: { lines: number }
}

interface Field {
  name: string
  place: number
  type: CsvType
}

/**
 * A table in a text file (RFC 4180), gzipped when its name ends in `.gz`. An empty number is NaN, a missing value. As
 * a target, whole numbers become int32 classes.
 *
 * @throws {DataError} when it is read, with file, line and column, for a value that does not fit its type.
 * @example
 * const wine = await sources.csv('wine.csv', { target: 'quality' }).collect()
 */
export function csv(path: string, options: CsvOptions = {}): Dataset {
  return Dataset.fromBatches(() => readChunks(path, options))
}

async function* readChunks(path: string, options: CsvOptions): AsyncGenerator<Columns> {
  let fields: Field[] | undefined
  let header: string[] | undefined
  let lines: Line[] = []
  const flush = () => {
    header ??= lines[0]!.record.map((_, i) => `c${i}`)
    fields ??= chooseFields(path, header, lines, options)
    const columns = toColumns(path, fields, lines)
    lines = []
    return options.target === undefined ? columns : withTarget(columns, options.target)
  }
  for await (const line of readLines(path, options)) {
    if (!header && options.header !== false) header = line.record
    else if (lines.push(line) === CHUNK_ROWS) yield flush()
  }
  if (lines.length > 0) yield flush()
}

async function* readLines(path: string, { delimiter = ',', skipLines = 0 }: CsvOptions): AsyncGenerator<Line> {
  const parser = parse({ delimiter, bom: true, info: true, skip_empty_lines: true, from_line: skipLines + 1 })
  const file = createReadStream(path)
  // Errors of every stage reach the loop through the parser, which pipeline destroys with them.
  const ignore = () => {}
  if (path.endsWith('.gz')) pipeline(file, createGunzip(), parser, ignore)
  else pipeline(file, parser, ignore)
  try {
    yield* parser as AsyncIterable<Line>
  } catch (cause) {
    if (!(cause instanceof Error) || cause instanceof DataError) throw cause
    const where = cause instanceof CsvError ? `${path}, line ${cause.lines}` : path
    throw new DataError(`${where}: ${cause.message}`, { cause })
  } finally {
    file.destroy()
  }
}

function chooseFields(path: string, header: string[], lines: readonly Line[], options: CsvOptions): Field[] {
  const { columns, target } = options
  const listed = Array.isArray(columns)
  const names = listed && options.header === false ? columns : header
  if (names.length !== header.length)
    throw new ConfigError(`${path} has another number of columns than were named.`, {
      expected: header.length,
      received: names.length,
    })
  const wanted: string[] = columns === undefined ? [...names] : listed ? [...columns] : Object.keys(columns)
  if (target !== undefined && !wanted.includes(target)) wanted.push(target)
  return wanted.map((name) => {
    const place = names.indexOf(name)
    if (place < 0)
      throw new DataError(`${path} has no column "${name}".`, {
        received: names.join(', '),
        remedy: didYouMean(name, names),
      })
    const given = columns && !listed ? (columns as Record<string, CsvType>)[name] : undefined
    return { name, place, type: given ?? inferType(lines, place, name === target) }
  })
}

function inferType(lines: readonly Line[], place: number, isTarget: boolean): CsvType {
  const values = lines.map(({ record }) => record[place]!.trim())
  if (!values.every((value) => value === '' || isNumber(value))) return 'string'
  const whole = values.every((value) => value !== '' && Number.isInteger(Number(value)))
  return isTarget && whole ? 'int32' : 'float32'
}

const isNumber = (text: string) => text === 'NaN' || !Number.isNaN(Number(text))

function toColumns(path: string, fields: readonly Field[], lines: readonly Line[]): Columns {
  const columns: Columns = {}
  for (const { name, place, type } of fields) {
    const shape = [lines.length]
    if (type === 'string') {
      columns[name] = { data: lines.map(({ record }) => record[place]!), shape }
      continue
    }
    const data = createTypedArray(arrays[type], lines.length)
    lines.forEach(({ record, info }, i) => {
      const text = record[place]!.trim()
      const value = text === '' ? Number.NaN : Number(text)
      data[i] = value
      if (type === 'int32' ? data[i] !== value : text !== '' && !isNumber(text))
        throw new DataError(`${path}, line ${info.lines}, column "${name}": the value does not fit.`, {
          expected: type === 'int32' ? 'a whole number' : 'a number',
          received: JSON.stringify(text),
          remedy: `Mend the file, or pass columns with another type for "${name}"`,
        })
    })
    columns[name] = { data, shape }
  }
  return columns
}

function withTarget(columns: Columns, target: string): Columns {
  const features = Object.keys(columns).filter((name) => name !== target)
  const y: Column = columns[target]!
  const rows = y.shape[0]!
  const x = new Float32Array(rows * features.length)
  features.forEach((name, j) => {
    const { data } = columns[name]!
    if (Array.isArray(data))
      throw new DataError(`The column "${name}" holds text, which cannot be a part of x.`, {
        remedy: 'Leave target out and encode it with a Preprocessor, or name the columns to read',
      })
    for (let i = 0; i < rows; i++) x[i * features.length + j] = data[i]!
  })
  return { x: { data: x, shape: [rows, features.length] }, y }
}
