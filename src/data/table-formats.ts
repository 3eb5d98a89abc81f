/** Columns in the formats of files, piece by piece. @module */

import type { SchemaElement } from 'hyparquet'
import { DataError, rowSize, type TypedArray } from '../core/index.js'
import { assertAlike, type Column, type Columns, concatColumns, rowsOf } from './columns.js'
import type { Dataset } from './dataset.js'

/** The formats that tables are written in. */
export const TABLE_FORMATS: readonly TableFormat[] = ['csv', 'jsonl', 'parquet']

/** The format of a table. */
export type TableFormat = 'csv' | 'jsonl' | 'parquet'

/**
 * A dataset as the pieces of a file. A missing number is empty in CSV, NaN in Parquet and null in JSON, which an infinite
 * one becomes too.
 *
 * CSV has a column `name0`, `name1`, ... for every value of a column `[rows, ...]`; JSON has nested arrays and Parquet
 * nested lists, of its shape.
 *
 * @throws {DataError} for a dataset without rows, or chunks that differ in their columns.
 */
export function tablePieces(dataset: Dataset, format: TableFormat): AsyncGenerator<string | Uint8Array> {
  switch (format) {
    case 'csv':
      return csvPieces(dataset)
    case 'jsonl':
      return jsonlPieces(dataset)
    case 'parquet':
      return parquetPieces(dataset)
    default:
      return format satisfies never
  }
}

/** The rows, at least one, in chunks that are alike: as they can be read again. */
async function* chunksOf(dataset: Dataset): AsyncGenerator<Columns> {
  let first: Columns | undefined
  for await (const columns of dataset.batches()) {
    if (first) assertAlike(first, columns)
    first ??= columns
    yield columns
  }
  if (!first)
    throw new DataError('The dataset has no rows to write.', {
      remedy: 'Look whether a filter leaves any, and at its source',
    })
}

async function* csvPieces(dataset: Dataset): AsyncGenerator<string> {
  let hasNames = false
  for await (const columns of chunksOf(dataset)) {
    if (!hasNames) yield csvLine(csvNames(columns))
    hasNames = true
    const sized = Object.values(columns).map((column) => ({ data: column.data, size: rowSize(column.shape) }))
    const lines = Array.from({ length: rowsOf(columns) }, (_, row) =>
      csvLine(
        sized.flatMap(({ data, size }) =>
          Array.from({ length: size }, (_, i) => {
            const value = data[row * size + i]!
            return Number.isNaN(value) ? '' : String(value)
          }),
        ),
      ),
    )
    yield lines.join('')
  }
}

const csvNames = (columns: Columns) =>
  Object.entries(columns).flatMap(([name, { shape }]) =>
    shape.length === 1 ? [name] : Array.from({ length: rowSize(shape) }, (_, i) => `${name}${i}`),
  )

/** A line that is no blank one: those are left out where tables are read. */
function csvLine(values: readonly string[]): string {
  const line = values.map((value) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value)).join(',')
  return line === '' ? '""\n' : `${line}\n`
}

async function* jsonlPieces(dataset: Dataset): AsyncGenerator<string> {
  for await (const columns of chunksOf(dataset)) {
    const names = Object.keys(columns)
    const lines = Array.from({ length: rowsOf(columns) }, (_, row) => {
      const values = names.map((name) => [name, nested(columns[name]!, row)] as const)
      return `${JSON.stringify(Object.fromEntries(values))}\n`
    })
    yield lines.join('')
  }
}

/** One row's value, as arrays of its shape. */
function nested({ data, shape }: Column, row: number): unknown {
  const size = rowSize(shape)
  let values: unknown[] = Array.from(data.slice(row * size, (row + 1) * size) as ArrayLike<unknown>)
  for (const length of shape.slice(2).reverse())
    values = Array.from({ length: values.length / length }, (_, i) => values.slice(i * length, (i + 1) * length))
  return shape.length === 1 ? values[0] : values
}

/** Rows of a row group: what a reader of the file must hold at a time. */
const GROUP_ROWS = 2 ** 16

async function* parquetPieces(dataset: Dataset): AsyncGenerator<Uint8Array> {
  const { ByteWriter, ParquetWriter } = await import('hyparquet-writer')
  const bytes = new ByteWriter()
  const taken = () => {
    const piece = bytes.getBytes().slice()
    bytes.index = 0
    return piece
  }
  let file: InstanceType<typeof ParquetWriter> | undefined
  let held: Columns[] = []
  let rows = 0
  const group = async () => {
    const columns = concatColumns(held)
    file ??= new ParquetWriter({ writer: bytes, schema: schemaOf(columns), createdBy: 'dcml' })
    const columnData = Object.entries(columns).map(([name, column]) => ({ name, data: parquetValues(column) }))
    await file.write({ columnData, rowGroupSize: rows })
    held = []
    rows = 0
    return taken()
  }
  for await (const columns of chunksOf(dataset)) {
    held.push(columns)
    rows += rowsOf(columns)
    if (rows >= GROUP_ROWS) yield await group()
  }
  if (rows > 0) yield await group()
  await file?.finish()
  yield taken()
}

function schemaOf(columns: Columns): SchemaElement[] {
  const entries = Object.entries(columns)
  const root: SchemaElement = { name: 'root', num_children: entries.length }
  return [root, ...entries.flatMap(([name, column]) => elementsOf(name, column, column.shape.length - 1))]
}

/** A value, or lists in lists of them. */
function elementsOf(name: string, column: Column, depth: number): SchemaElement[] {
  const required = { name, repetition_type: 'REQUIRED' } as const
  if (depth === 0) return [{ ...required, ...parquetType(column.data) }]
  return [
    { ...required, num_children: 1, converted_type: 'LIST' },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    ...elementsOf('element', column, depth - 1),
  ]
}

function parquetType(data: TypedArray | string[]): Pick<SchemaElement, 'type' | 'converted_type'> {
  if (Array.isArray(data)) return { type: 'BYTE_ARRAY', converted_type: 'UTF8' }
  if (data instanceof Float32Array) return { type: 'FLOAT' }
  if (data instanceof Float64Array) return { type: 'DOUBLE' }
  // A column of 32 bits without a sign does not fit into one with.
  return data instanceof Uint32Array ? { type: 'INT64' } : { type: 'INT32' }
}

function parquetValues(column: Column): unknown[] {
  const values = Array.from({ length: column.shape[0]! }, (_, row) => nested(column, row))
  return column.data instanceof Uint32Array ? values.map((value) => BigInt(value as number)) : values
}
