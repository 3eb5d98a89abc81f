/** Comma-separated values, streamed. @module */

import { ConfigError, DataError, isWholeBeyondFloat32, withDefaults } from '../core/index.js'
import type { BadRowPass } from './bad-rows.js'
import type { ByteSource } from './byte-source.js'
import type { Columns } from './columns.js'
import { type BrokenRecord, type CsvRecord, CsvRecords } from './csv-records.js'
import { type FileDataset, fileDataset } from './file-dataset.js'
import { CHUNK_ROWS } from './stream.js'
import {
  type ColumnType,
  chooseFields,
  columnsOfTable,
  type Field,
  isNumeric,
  type TableOptions,
  tableDefaults,
} from './table.js'
import { textOf } from './text.js'

/** How a table is read. */
export interface CsvOptions extends TableOptions {
  /**
   * Which columns to read, with their types; or names alone, with types from the first 1,024 rows: float32 where every
   * value is a number, float64 where that would change a whole number, such as an id beyond 2^24; otherwise string.
   * Without a header, the names of the columns from left to right.
   * @default all
   */
  columns?: Record<string, ColumnType> | readonly string[]
  /** @default ',' */
  delimiter?: string
  /** Whether the first line names the columns; otherwise they are called `c0`, `c1`, ... @default true */
  header?: boolean
  /** Lines to leave out before all others. @default 0 */
  skipLines?: number
}

/** The options, complete. */
type CsvSettings = TableOptions & Required<Pick<CsvOptions, 'delimiter' | 'header' | 'skipLines'>>

/** The dataset of a table in a text file. */
export function csvDataset(source: ByteSource, options: CsvOptions = {}): FileDataset {
  const complete = withDefaults('csv', options, { ...tableDefaults, delimiter: ',', header: true, skipLines: 0 })
  const { delimiter, onError } = complete
  if (delimiter === '' || /["\r\n]/.test(delimiter))
    throw new ConfigError('This delimiter cannot part values.', {
      expected: 'such as "," or "\\t"',
      received: JSON.stringify(delimiter),
    })
  return fileDataset(source.name, onError, (pass) => readChunks(source, complete, pass))
}

async function* readChunks(source: ByteSource, options: CsvSettings, pass: BadRowPass): AsyncGenerator<Columns> {
  const { name } = source
  let header: string[] | undefined
  let fields: Field[] | undefined
  let held: CsvRecord[] = []
  const flush = () => {
    fields ??= fieldsOf(name, header!, held, options)
    const chunk = held
    held = []
    return columnsOfTable(fields, chunk.length, ({ place }) => chunk.map((record) => record.fields[place]), options, {
      pass,
      placeOf: (row) => ({ line: chunk[row]!.line }),
    })
  }
  for await (const read of recordsOf(source, options))
    for (const record of read) {
      if (!header) {
        header = namesOf(name, record, options)
        if (options.header) continue
      }
      if ('what' in record) pass.add({ line: record.line }, brokenness(record, header))
      else if (record.fields.length !== header.length) pass.add({ line: record.line }, raggedness(record, header))
      else if (held.push(record) === CHUNK_ROWS) yield flush()
    }
  if (held.length > 0) yield flush()
  if (!header) throw new DataError(`${name} is empty.`)
}

async function* recordsOf(
  source: ByteSource,
  { delimiter, skipLines }: CsvSettings,
): AsyncGenerator<(CsvRecord | BrokenRecord)[]> {
  const records = new CsvRecords(delimiter, skipLines)
  for await (const text of textOf(source)) yield records.push(text, false)
  yield records.push('', true)
}

/** The names of the columns, from the first record. */
function namesOf(name: string, record: CsvRecord | BrokenRecord, { header, columns }: CsvSettings): string[] {
  if ('what' in record)
    throw new DataError(`${name}, line ${record.line}: ${record.what}, in the line that gives the columns.`, {
      received: record.value,
    })
  const { fields } = record
  if (header) return fields.map((field, place) => (field.trim() === '' ? `c${place}` : field))
  if (!Array.isArray(columns)) return fields.map((_, place) => `c${place}`)
  if (columns.length === fields.length) return [...columns]
  throw new ConfigError(`${name} has another number of columns than were named.`, {
    expected: fields.length,
    received: columns.length,
  })
}

function fieldsOf(name: string, header: string[], lines: readonly CsvRecord[], options: CsvSettings): Field[] {
  return chooseFields(name, header, options, (place, isTarget) => {
    const values = lines.map(({ fields }) => fields[place]!)
    if (!values.every(isNumeric)) return { type: 'string' }
    const isInt32 = (value: string) => value.trim() !== '' && Number(value) === (Number(value) | 0)
    if (isTarget && values.every(isInt32)) return { type: 'int32' }
    return { type: values.some((value) => isWholeBeyondFloat32(Number(value))) ? 'float64' : 'float32' }
  })
}

const brokenness = ({ what, value, place }: BrokenRecord, header: readonly string[]) => ({
  what,
  value,
  column: header[place],
  expected: 'quotes around a whole value, and doubled within one',
})

const raggedness = ({ fields }: CsvRecord, header: readonly string[]) => ({
  what: `the row has ${fields.length} values`,
  expected: `${header.length}: ${header.slice(0, 8).join(', ')}${header.length > 8 ? ', ...' : ''}`,
  value: fields.slice(0, 8).join(', '),
})
