/** Rows that are read once and kept. @module */

import { checkWhole, StateError, withDefaults } from '../core/index.js'
import type { Store } from '../storage/index.js'
import { decodeColumns, encodeColumns } from './column-bytes.js'
import { type Columns, rowsOf, sliceColumns } from './columns.js'
import { type Opener, WHOLE } from './pass.js'
import type { ColumnStream } from './stream.js'

/** Where rows are kept, and how many. */
export interface CacheOptions {
  /** Most bytes to keep; more are a StateError while they are read. @default 1 GiB, in a store without a limit */
  maxBytes?: number
  /** Keeps the rows there instead of in memory, such as in `directory('cache')`, which nothing else may use. */
  store?: Store
}

const DEFAULT_BYTES = 2 ** 30

/** A chunk that is kept. */
interface Kept {
  rows: number
  read(): Columns | Promise<Columns>
}

/** What keeps the chunks of one pass. */
type Keeper = (chunk: Columns, number: number) => Kept | Promise<Kept>

/**
 * Reads a source once, keeps its chunks, and gives them in every later pass, from any row on. A pass that ends early
 * keeps nothing; one that begins while another fills the cache reads the source itself.
 */
export function cached(source: Opener, options: CacheOptions): Opener {
  const { store, ...limit } = withDefaults('Dataset.cache', options, { store: undefined, maxBytes: undefined })
  const { maxBytes = store ? Infinity : DEFAULT_BYTES } = limit
  if (maxBytes !== Infinity) checkWhole('maxBytes of a cache', maxBytes)
  let kept: readonly Kept[] | undefined
  let isFilling = false
  async function* fill(fromRow: number): ColumnStream {
    isFilling = true
    const keep = store ? inStore(store, maxBytes) : inMemory(maxBytes)
    const chunks: Kept[] = []
    let row = 0
    try {
      // The order of one epoch only: what is kept must not depend on the pass that came first.
      for await (const chunk of source(WHOLE)) {
        chunks.push(await keep(chunk, chunks.length))
        yield* rest(chunk, fromRow - row)
        row += rowsOf(chunk)
      }
      kept = chunks
    } finally {
      isFilling = false
    }
  }
  return async function* open({ fromRow }) {
    if (kept) yield* replay(kept, fromRow)
    else yield* isFilling ? source({ fromRow, epoch: 0 }) : fill(fromRow)
  }
}

async function* replay(kept: readonly Kept[], fromRow: number): ColumnStream {
  let row = 0
  for (const { rows, read } of kept) {
    if (row + rows > fromRow) yield* rest(await read(), fromRow - row)
    row += rows
  }
}

/** The rows of a chunk from one on, if there are any. */
function* rest(chunk: Columns, from: number): Generator<Columns> {
  if (from <= 0) yield chunk
  else if (from < rowsOf(chunk)) yield sliceColumns(chunk, from, rowsOf(chunk))
}

function inMemory(maxBytes: number): Keeper {
  const add = adder(maxBytes, "pass store: directory('cache') of dcml/node")
  return (chunk) => {
    add(bytesOf(chunk))
    return { rows: rowsOf(chunk), read: () => chunk }
  }
}

function inStore(store: Store, maxBytes: number): Keeper {
  const add = adder(maxBytes, 'use a larger disk')
  return async (chunk, number) => {
    const name = `chunk-${String(number).padStart(9, '0')}`
    const bytes = encodeColumns(chunk)
    add(bytes.length)
    await store.write(name, bytes)
    return { rows: rowsOf(chunk), read: async () => decodeColumns(await store.read(name)) }
  }
}

/** Counts bytes up to a limit. */
function adder(maxBytes: number, otherwise: string): (bytes: number) => void {
  let sum = 0
  return (bytes) => {
    sum += bytes
    if (sum > maxBytes)
      throw new StateError('The cache is full before the dataset ends.', {
        expected: `at most ${maxBytes} bytes`,
        received: `${sum} bytes so far`,
        remedy: `Raise maxBytes, ${otherwise}, or leave out cache()`,
      })
  }
}

/** Memory of columns; two bytes for each character. */
const bytesOf = (columns: Columns) =>
  Object.values(columns).reduce(
    (sum, { data }) =>
      sum + (Array.isArray(data) ? data.reduce((length, text) => length + 2 * text.length, 0) : data.byteLength),
    0,
  )
