/** Rows and batches on the move. @module */

import { DataError, type Random, sizeOf } from '../core/index.js'
import { type Columns, concatColumns, gatherRows, rowsOf } from './columns.js'

/** A row as an object: numbers, strings, or flat arrays of numbers for columns with more axes. */
export type Row = Record<string, unknown>

/** The rows of columns as objects. Arrays are views. */
export function rowsOfColumns(columns: Columns): Row[] {
  const entries = Object.entries(columns)
  return Array.from({ length: rowsOf(columns) }, (_, i) => {
    const row: Row = {}
    for (const [name, { data, shape }] of entries) {
      const size = sizeOf(shape.slice(1))
      if (shape.length === 1) row[name] = data[i]
      else row[name] = data.slice(i * size, (i + 1) * size)
    }
    return row
  })
}

/** Columns from objects. Numbers become float32, strings stay, arrays of one length become a second axis. */
export function columnsFromRows(rows: readonly Row[], firstRow: number): Columns {
  const first = rows[0]
  if (!first) throw new DataError('There are no rows.', { remedy: 'Check the source or the filter before it' })
  const columns: Columns = {}
  for (const name of Object.keys(first)) {
    const sample = first[name]
    const bad = (i: number) =>
      new DataError(`Row ${firstRow + i} has a value in column '${name}' that does not fit the rows before it.`, {
        expected: isNumbers(sample) ? `${sample.length} numbers` : `a ${typeof sample}`,
        received: rows[i]![name],
      })
    if (typeof sample === 'string') {
      const data = rows.map((row, i) => {
        const value = row[name]
        if (typeof value !== 'string') throw bad(i)
        return value
      })
      columns[name] = { data, shape: [rows.length] }
    } else if (typeof sample === 'number' || typeof sample === 'boolean') {
      const data = new Float32Array(rows.length)
      rows.forEach((row, i) => {
        const value = row[name]
        // A gap is a NaN, which Preprocessor's cleaning steps look for.
        if (value === null || value === undefined) data[i] = Number.NaN
        else if (typeof value === 'number' || typeof value === 'boolean') data[i] = Number(value)
        else throw bad(i)
      })
      columns[name] = { data, shape: [rows.length] }
    } else if (isNumbers(sample)) {
      const data = new Float32Array(rows.length * sample.length)
      rows.forEach((row, i) => {
        const value = row[name]
        if (!isNumbers(value) || value.length !== sample.length) throw bad(i)
        data.set(value, i * sample.length)
      })
      columns[name] = { data, shape: [rows.length, sample.length] }
    } else throw bad(0)
  }
  return columns
}

/** Puts rows together to batches. */
export async function* collectRows(rows: Iterable<Row> | AsyncIterable<Row>, n: number): AsyncIterable<Columns> {
  let held: Row[] = []
  let done = 0
  for await (const row of rows) {
    held.push(row)
    if (held.length < n) continue
    yield columnsFromRows(held, done)
    done += held.length
    held = []
  }
  if (held.length > 0) yield columnsFromRows(held, done)
}

/** Cuts a stream of any batches into batches of `n` rows. */
export async function* batchesOf(parts: AsyncIterable<Columns>, n: number, dropLast: boolean): AsyncIterable<Columns> {
  let held: Columns | undefined
  for await (const part of parts) {
    if (!held && rowsOf(part) === n) {
      yield part
      continue
    }
    const joined: Columns = held ? concatColumns([held, part]) : part
    const rows = rowsOf(joined)
    let at = 0
    for (; at + n <= rows; at += n) yield gatherRows(joined, range(at, at + n))
    held = at < rows ? gatherRows(joined, range(at, rows)) : undefined
  }
  if (held && !dropLast) yield held
}

/** Draws rows at random from a buffer that is refilled from the stream. */
export async function* shuffledRows(
  parts: AsyncIterable<Columns>,
  random: Random,
  bufferSize: number,
): AsyncIterable<Columns> {
  let buffer: Columns | undefined
  for await (const part of parts) {
    buffer = buffer ? concatColumns([buffer, part]) : part
    const surplus = rowsOf(buffer) - bufferSize
    if (surplus <= 0) continue
    const order = random.permutation(rowsOf(buffer))
    yield gatherRows(buffer, order.subarray(0, surplus))
    buffer = gatherRows(buffer, order.subarray(surplus))
  }
  if (buffer) yield gatherRows(buffer, random.permutation(rowsOf(buffer)))
}

/** Asks for the next batches before they are needed. */
export async function* prefetched(parts: AsyncIterable<Columns>, n: number): AsyncIterable<Columns> {
  const iterator = parts[Symbol.asyncIterator]()
  const waiting: Promise<IteratorResult<Columns>>[] = []
  const ask = () => {
    const next = iterator.next()
    // The failure is thrown when its turn comes, not before.
    next.catch(() => {})
    waiting.push(next)
  }
  try {
    for (let i = 0; i <= n; i++) ask()
    for (;;) {
      const next = await waiting.shift()!
      if (next.done) return
      ask()
      yield next.value
    }
  } finally {
    await iterator.return?.()
  }
}

const range = (from: number, to: number) => Uint32Array.from({ length: to - from }, (_, i) => from + i)

const isNumbers = (value: unknown): value is ArrayLike<number> & number[] =>
  (Array.isArray(value) || ArrayBuffer.isView(value)) && typeof (value as number[])[0] === 'number'
