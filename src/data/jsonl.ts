/** JSON lines, streamed. @module */

import { DataError, isWholeBeyondFloat32, withDefaults } from '../core/index.js'
import type { BadRowPass, RowProblem } from './bad-rows.js'
import type { ByteSource } from './byte-source.js'
import type { Columns } from './columns.js'
import { type FileDataset, fileDataset } from './file-dataset.js'
import { columnsOfRows, type Row } from './rows.js'
import { CHUNK_ROWS } from './stream.js'
import { type ColumnForm, chooseFields, columnsOfTable, type Field, type TableOptions, tableDefaults } from './table.js'
import { MAX_ROW_LENGTH, textOf } from './text.js'

/**
 * How JSON lines are read. With `columns` or `target` each column holds a value, or a list of one length, a row; types by
 * the first 1,024 rows, as in CSV.
 */
export type JsonlOptions = TableOptions

interface Line {
  text: string
  /** From 1. */
  line: number
}

/** The dataset of a file with one JSON object a line. */
export function jsonlDataset(source: ByteSource, options: JsonlOptions = {}): FileDataset {
  const chosen = withDefaults('jsonl', options, tableDefaults)
  return fileDataset(source.name, chosen.onError, (pass) => readChunks(source, chosen, pass))
}

async function* readChunks(source: ByteSource, options: JsonlOptions, pass: BadRowPass): AsyncGenerator<Columns> {
  const isTable = options.columns !== undefined || options.target !== undefined
  let like: Columns | undefined
  let fields: Field[] | undefined
  let held: Row[] = []
  let lines: number[] = []
  const placeOf = (row: number) => ({ line: lines[row]! })
  const tableOf = (rows: readonly Row[]) => {
    fields ??= fieldsOf(source.name, rows, options)
    return columnsOfTable(fields, rows.length, ({ name }) => rows.map((row) => row[name]), options, { pass, placeOf })
  }
  const flush = () => {
    const columns = isTable
      ? tableOf(held)
      : columnsOfRows(held, { like, reject: (row, problem) => pass.add(placeOf(row), problem) })
    like ??= columns
    held = []
    lines = []
    return columns
  }
  for await (const { text, line } of linesOf(source)) {
    const row = parsed(text)
    if ('what' in row) {
      pass.add({ line }, row)
      continue
    }
    lines.push(line)
    if (held.push(row.value) === CHUNK_ROWS) yield flush()
  }
  if (held.length > 0) yield flush()
}

/** The columns that are wanted, of those that any of the first rows has. */
function fieldsOf(file: string, rows: readonly Row[], options: JsonlOptions): Field[] {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  return chooseFields(file, names, options, (place, isTarget) =>
    formOf(
      rows.map((row) => row[names[place]!]),
      isTarget,
    ),
  )
}

function formOf(values: readonly unknown[], isTarget: boolean): ColumnForm {
  const given = values.filter((value) => value !== null && value !== undefined)
  if (Array.isArray(given[0])) return { ...formOf(given.flat(), false), size: 'first' }
  if (given.some((value) => typeof value === 'string')) return { type: 'string' }
  const numbers = given.map(Number)
  const areClasses = isTarget && given.length === values.length && numbers.every((value) => value === (value | 0))
  if (areClasses) return { type: 'int32' }
  return { type: numbers.some(isWholeBeyondFloat32) ? 'float64' : 'float32' }
}

/** The lines that are not blank. */
async function* linesOf(source: ByteSource): AsyncGenerator<Line> {
  let rest = ''
  let line = 0
  for await (const text of textOf(source)) {
    const lines = (rest + text).split('\n')
    rest = lines.pop()!
    for (const text of lines) {
      line++
      if (text.trim() !== '') yield { text, line }
    }
    if (rest.length > MAX_ROW_LENGTH)
      throw new DataError(`${source.name}, line ${line + 1} has over ${MAX_ROW_LENGTH} characters.`, {
        expected: 'one JSON object a line',
        received: rest.slice(0, 80),
      })
  }
  if (rest.trim() !== '') yield { text: rest, line: line + 1 }
}

function parsed(text: string): { value: Row } | RowProblem {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    return { what: `this is no JSON: ${(cause as Error).message}`, value: text }
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { value: value as Row }
  return { what: 'this is no object', value: text }
}
