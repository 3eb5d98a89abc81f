/** Operations on streams of columns. A chunk has any number of rows; none of these keeps more than it says. @module */

import { createTypedArray, type Random, rowSize, type TypedArray, typedArrayName } from '../core/index.js'
import { assertAlike, type Columns, concatColumns, gatherRows, rowsOf, sliceColumns } from './columns.js'

/** Rows per chunk where nobody asked for a number. */
export const CHUNK_ROWS = 1024

/** A stream of columns; every call of the thunk that makes it starts over. */
export type ColumnStream = AsyncIterable<Columns>

/** Cuts and joins chunks so that each has exactly `size` rows; the last may have fewer. */
export async function* rechunk(stream: ColumnStream, size: number, dropLast = false): ColumnStream {
  let held: Columns[] = []
  let heldRows = 0
  for await (const chunk of stream) {
    let start = 0
    const rows = rowsOf(chunk)
    while (rows - start + heldRows >= size) {
      const end = start + size - heldRows
      yield concatColumns([...held, sliceColumns(chunk, start, end)])
      held = []
      heldRows = 0
      start = end
    }
    if (start < rows) {
      held.push(sliceColumns(chunk, start, rows))
      heldRows += rows - start
    }
  }
  if (heldRows > 0 && !dropLast) yield concatColumns(held)
}

/** Rows `start` up to `end` of a stream; reads no further than `end`. */
export async function* sliceStream(stream: ColumnStream, start: number, end: number): ColumnStream {
  if (start >= end) return
  let position = 0
  for await (const chunk of stream) {
    const rows = rowsOf(chunk)
    const from = Math.max(0, start - position)
    const to = Math.min(rows, end - position)
    if (from < to) yield sliceColumns(chunk, from, to)
    position += rows
    if (position >= end) return
  }
}

/** How rows are shuffled. */
export interface ShuffleOptions {
  /** Integer, 0 to 2^32 - 1. @default 0 */
  seed?: number
  /** Whether each epoch of training has an order of its own, by seed and epoch. Other passes have that of epoch 0. @default false */
  reshuffle?: boolean
  /** Rows to choose from at a time, when the dataset is a stream; one in memory is always shuffled as a whole. @default 10000 */
  bufferSize?: number
}

/** Those options with their defaults. */
export const shuffleDefaults = { seed: 0, reshuffle: false, bufferSize: 10_000 } as const

/** A row of a chunk that is kept for it. */
export interface RowReference {
  chunk: Columns
  row: number
}

/** Random order within a buffer: each row leaves it when a later one takes its random place. Keeps `bufferSize` rows. */
export async function* shuffleStream(stream: ColumnStream, bufferSize: number, random: Random): ColumnStream {
  const buffer: RowReference[] = []
  async function* references(): AsyncGenerator<RowReference> {
    for await (const chunk of stream) {
      for (let row = 0; row < rowsOf(chunk); row++) {
        if (buffer.length < bufferSize) {
          buffer.push({ chunk, row })
          continue
        }
        const place = random.integer(bufferSize)
        yield buffer[place]!
        buffer[place] = { chunk, row }
      }
    }
    yield* random.shuffle(buffer)
  }
  yield* gatherReferences(references())
}

/** Every `worldSize`-th row from `rank` on, evened out at the end. Keeps up to `worldSize` rows. */
export async function* shardStream(
  stream: ColumnStream,
  rank: number,
  worldSize: number,
  evenly: 'pad' | 'drop' | false,
): ColumnStream {
  async function* references(): AsyncGenerator<RowReference> {
    const first: RowReference[] = []
    let total = 0
    let waiting: RowReference | undefined
    for await (const chunk of stream) {
      for (let row = 0; row < rowsOf(chunk); row++, total++) {
        const reference = { chunk, row }
        if (evenly === 'pad' && first.length < worldSize) first.push(reference)
        const place = total % worldSize
        if (place === rank) {
          if (evenly === 'drop') waiting = reference
          else yield reference
        }
        // With 'drop' a row counts once its whole round is there.
        if (place === worldSize - 1 && waiting) {
          yield waiting
          waiting = undefined
        }
      }
    }
    const rest = total % worldSize
    if (evenly === 'pad' && rest > 0 && rank >= rest) yield first[(rank - rest) % total]!
  }
  yield* gatherReferences(references())
}

/** Copies of rows, in chunks. */
export async function* gatherReferences(references: AsyncIterable<RowReference>): ColumnStream {
  let pending: RowReference[] = []
  for await (const reference of references) {
    pending.push(reference)
    if (pending.length === CHUNK_ROWS) {
      yield copyRows(pending)
      pending = []
    }
  }
  if (pending.length > 0) yield copyRows(pending)
}

function copyRows(references: readonly RowReference[]): Columns {
  const first = references[0]!.chunk
  if (references.every(({ chunk }) => chunk === first))
    return gatherRows(
      first,
      references.map(({ row }) => row),
    )
  const chunks = new Set(references.map(({ chunk }) => chunk))
  for (const chunk of chunks) assertAlike(first, chunk)
  const out: Columns = {}
  for (const name of Object.keys(first)) {
    const { data, shape } = first[name]!
    const size = rowSize(shape)
    const copy: TypedArray | string[] = Array.isArray(data)
      ? []
      : createTypedArray(typedArrayName(data), references.length * size)
    references.forEach(({ chunk, row }, i) => {
      const source = chunk[name]!.data
      if (Array.isArray(copy)) copy.push(...(source as string[]).slice(row * size, (row + 1) * size))
      else for (let j = 0; j < size; j++) copy[i * size + j] = source[row * size + j] as number
    })
    out[name] = { data: copy, shape: [references.length, ...shape.slice(1)] }
  }
  return out
}
