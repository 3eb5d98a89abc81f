/** Streams of columns from streams of rows. @module */

import { checkGiven, StateError } from '../core/index.js'
import type { Columns } from './columns.js'
import { columnsOfRows, type Row } from './rows.js'
import type { ColumnStream } from './stream.js'

/** Rows per chunk. */
const CHUNK_ROWS = 1024

/** Rows that can be read one by one, or a function that makes them for each pass. */
export type RowSource = Iterable<object> | AsyncIterable<object> | (() => Iterable<object> | AsyncIterable<object>)

/**
 * One pass over rows, in chunks of columns.
 *
 * @throws {StateError} at the second pass over a generator.
 */
export function chunksOfRows(rows: RowSource): ColumnStream {
  return chunked(typeof rows === 'function' ? rows() : restartable(rows))
}

async function* chunked(rows: Iterable<object> | AsyncIterable<object>): ColumnStream {
  let like: Columns | undefined
  let position = 0
  let held: Row[] = []
  const flush = () => {
    const columns = columnsOfRows(held, position, like)
    like ??= columns
    position += held.length
    held = []
    return columns
  }
  for await (const row of rows) {
    held.push(row as Row)
    if (held.length === CHUNK_ROWS) yield flush()
  }
  if (held.length > 0) yield flush()
}

/** Throws at the second pass over an iterator that can run only once, instead of silently giving no rows. */
function restartable<T extends Iterable<object> | AsyncIterable<object>>(rows: T): T {
  const once = (Symbol.iterator in rows ? rows[Symbol.iterator]() : rows[Symbol.asyncIterator]()) as unknown
  if (once !== rows) return rows
  if (spent.has(rows))
    throw new StateError('These rows come from a generator, which can be read only once.', {
      remedy: 'Pass Dataset.fromRows a function that makes the generator',
    })
  spent.add(rows)
  return rows
}

const spent = new WeakSet<object>()

/** @throws {ConfigError} for rows that cannot be read one by one. */
export function checkRowSource(rows: RowSource): void {
  const isSource =
    typeof rows === 'function' ||
    (typeof rows === 'object' && rows !== null && (Symbol.iterator in rows || Symbol.asyncIterator in rows))
  checkGiven(isSource, 'Dataset.fromRows needs rows.', {
    expected: 'an array of objects, another iterable, or a function that makes one',
    received: rows,
  })
}
