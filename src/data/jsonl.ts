/** JSON lines, streamed. @module */

import { DataError, withDefaults } from '../core/index.js'
import type { BadRowPass, OnError, RowProblem } from './bad-rows.js'
import type { ByteSource } from './byte-source.js'
import type { Columns } from './columns.js'
import { type FileDataset, fileDataset } from './file-dataset.js'
import { columnsOfRows, type Row } from './rows.js'
import { CHUNK_ROWS } from './stream.js'
import { MAX_ROW_LENGTH, textOf } from './text.js'

/** How JSON lines are read. */
export interface JsonlOptions {
  /** What happens at a row that cannot be read. @default 'throw' */
  onError?: OnError
}

interface Line {
  text: string
  /** From 1. */
  line: number
}

/** The dataset of a file with one JSON object a line. */
export function jsonlDataset(source: ByteSource, options: JsonlOptions = {}): FileDataset {
  const { onError } = withDefaults('jsonl', options, { onError: undefined })
  return fileDataset(source.name, onError, (pass) => readChunks(source, pass))
}

async function* readChunks(source: ByteSource, pass: BadRowPass): AsyncGenerator<Columns> {
  let like: Columns | undefined
  let held: Row[] = []
  let lines: number[] = []
  const flush = () => {
    const columns = columnsOfRows(held, { like, reject: (row, problem) => pass.add({ line: lines[row]! }, problem) })
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
