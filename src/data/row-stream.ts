/** Streams of columns from streams of rows. @module */

import { checkGiven, StateError } from '../core/index.js'
import type { Columns } from './columns.js'
import { columnsOfRows, type Row, type RowsOptions } from './rows.js'
import { CHUNK_ROWS, type ColumnStream } from './stream.js'

/** Rows that can be read one by one, or a function that makes them for each pass. */
export type RowSource = Iterable<object> | AsyncIterable<object> | (() => Iterable<object> | AsyncIterable<object>)

/**
 * One pass over rows, in chunks of columns. It reads on only when the chunk before was taken.
 *
 * @param options - `size`: rows per chunk; the last may have fewer. `exact` as for `columnsOfRows`.
 * @throws {StateError} at the second pass over a generator.
 */
export function chunksOfRows(rows: RowSource, options: ChunkOptions = {}): ColumnStream {
  return chunked(typeof rows === 'function' ? rows() : restartable(rows), options)
}

type ChunkOptions = { size?: number } & Pick<RowsOptions, 'exact'>

async function* chunked(
  rows: Iterable<object> | AsyncIterable<object>,
  { size = CHUNK_ROWS, ...options }: ChunkOptions,
): ColumnStream {
  let like: Columns | undefined
  let position = 0
  let held: Row[] = []
  const flush = () => {
    const columns = columnsOfRows(held, { ...options, firstRow: position, like })
    // A column that has no value in a later chunk is still of the kind that it was of.
    like ??= columns
    position += held.length
    held = []
    return columns
  }
  for await (const row of rows) {
    held.push(row as Row)
    if (held.length === size) yield flush()
  }
  if (held.length > 0) yield flush()
}

/** Throws at the second pass over an iterator that can run only once, instead of silently giving no rows. */
function restartable<T extends Iterable<object> | AsyncIterable<object>>(rows: T): T {
  const once = (Symbol.iterator in rows ? rows[Symbol.iterator]() : rows[Symbol.asyncIterator]()) as unknown
  if (once !== rows) return rows
  if (spent.has(rows))
    throw new StateError('These rows come from a generator, which can be read only once.', {
      remedy: 'Pass a function that makes the generator',
    })
  spent.add(rows)
  return rows
}

const spent = new WeakSet<object>()

/** @throws {ConfigError} for rows that cannot be read one by one. @param caller - What needs them, for the message. */
export function checkRowSource(caller: string, rows: RowSource): void {
  const isSource =
    typeof rows === 'function' ||
    (typeof rows === 'object' && rows !== null && (Symbol.iterator in rows || Symbol.asyncIterator in rows))
  checkGiven(isSource, `${caller} needs rows.`, {
    expected: 'an array of objects, another iterable, or a function that makes one',
    received: rows,
  })
}
