/**
 * A dataset: rows, stored and moved by column.
 *
 * Owns: order and choice of rows, lazy operations, batches.
 * Leaves: reading files to the sources, statistics to preprocess/, per-epoch order and ranks to training/.
 * @module
 */

import type * as tf from '@tensorflow/tfjs-core'
import { ConfigError, checkWhole, DataError, StateError } from '../core/index.js'
import { type Columns, checkColumns, columnOf, concatColumns, gatherRows, rowsOf, sliceColumns } from './columns.js'
import { chunksOfRows } from './row-stream.js'
import { columnsOfRows, type Row, restoreShapes, rowAt } from './rows.js'
import { assertRank, type ShardOptions, shardPositions } from './sharding.js'
import { type SplitOptions, splitPositions } from './splitting.js'
import { type ColumnStream, prefetchStream, rechunk, shardStream, shuffleStream, sliceStream } from './stream.js'
import { columnsOfTensors } from './tensors.js'

/** Rows per chunk where nobody asked for a number. */
const CHUNK_ROWS = 1024

/** A dataset that lies in memory: its columns, and which rows of them in which order (all, when undefined). */
export interface Resident {
  readonly columns: Columns
  readonly index: Uint32Array | undefined
}

/** How rows are shuffled. */
export interface ShuffleOptions {
  /** Integer, 0 to 2^32 - 1. Every pass over the dataset has this same order. @default 0 */
  seed?: number
  /** Rows to choose from at a time, when the dataset is a stream; one in memory is always shuffled as a whole. @default 10000 */
  bufferSize?: number
}

/** Where the rows of a dataset come from. */
type Origin = { readonly resident: Resident } | { readonly open: () => ColumnStream }

/**
 * Rows with named columns, in memory or streamed.
 *
 * A dataset is immutable and lazy: every operation returns a new one and copies nothing. Of a dataset in memory,
 * `shuffle`, `take`, `skip`, `shard` and `split` only choose rows by index. Every pass starts over.
 *
 * @example
 * const data = Dataset.fromArrays({
 *   x: { data: new Float32Array([0, 0, 0, 1, 1, 0, 1, 1]), shape: [4, 2] },
 *   y: { data: new Int32Array([0, 1, 1, 0]), shape: [4] },
 * })
 * for await (const batch of data.shuffle({ seed: 1 }).batches(2)) console.log(batch.x.data)
 */
export class Dataset {
  readonly #origin: Origin
  readonly #size: number | undefined
  /** Rows per chunk that `batch(n)` asked for. */
  readonly #chunkRows: number | undefined

  private constructor(origin: Origin, size: number | undefined, chunkRows?: number) {
    this.#origin = origin
    this.#size = size
    this.#chunkRows = chunkRows
  }

  /**
   * The values of tensors, copied out now; the caller keeps and disposes the tensors.
   *
   * @param columns - Tensors `[rows, ...]`: float32, int32, bool (as uint8) or string.
   */
  static fromTensors(columns: Record<string, tf.Tensor>): Dataset {
    return Dataset.fromArrays(columnsOfTensors(columns))
  }

  /**
   * Typed arrays or strings, not copied: do not change them while the dataset is in use.
   *
   * @throws {ShapeError} if lengths, shapes or numbers of rows do not fit together.
   */
  static fromArrays(columns: Columns): Dataset {
    checkColumns(columns)
    return Dataset.#resident({ columns, index: undefined })
  }

  /**
   * Objects with the same columns each. Numbers become float32, arrays keep their shape, strings stay strings.
   *
   * An array is taken into memory at once. Any other iterable is streamed, and read again for every pass; a generator
   * can be read only once, so pass a function that makes one.
   *
   * @throws {DataError} that names row and column, for a value that does not fit those before it.
   */
  static fromRows(
    rows: Iterable<object> | AsyncIterable<object> | (() => Iterable<object> | AsyncIterable<object>),
  ): Dataset {
    if (Array.isArray(rows)) {
      if (rows.length === 0) throw new DataError('A dataset needs at least one row.', { received: 'an empty array' })
      return Dataset.fromArrays(columnsOfRows(rows as Row[]))
    }
    return new Dataset({ open: () => chunksOfRows(rows) }, undefined)
  }

  /**
   * A stream of any size.
   *
   * @param batches - Called at the start of every pass; yields columns of any number of rows.
   * @param options - `size`: number of rows, when it is known.
   */
  static fromBatches(batches: () => AsyncIterable<Columns>, options: { size?: number } = {}): Dataset {
    if (typeof batches !== 'function')
      throw new ConfigError('Dataset.fromBatches needs a function.', {
        expected: '() => AsyncIterable<Columns>',
        received: batches,
      })
    return new Dataset({ open: () => checked(batches()) }, options.size)
  }

  static #resident(resident: Resident, chunkRows?: number): Dataset {
    return new Dataset({ resident }, resident.index?.length ?? rowsOf(resident.columns), chunkRows)
  }

  /** Number of rows; undefined where only reading the stream would tell. */
  get size(): number | undefined {
    return this.#size
  }

  /** The columns in memory and the chosen rows, without a copy; undefined for a stream or after `map` and its like. */
  get resident(): Resident | undefined {
    return 'resident' in this.#origin ? this.#origin.resident : undefined
  }

  /** Applies a function to every row. A flat array of the length of its column before keeps that column's shape. */
  map(f: (row: Row) => object | Promise<object>): Dataset {
    const source = this
    async function* mapped(): ColumnStream {
      let like: Columns | undefined
      let position = 0
      for await (const chunk of source.#chunks()) {
        const rows: Row[] = []
        for (let i = 0; i < rowsOf(chunk); i++) rows.push((await f(rowAt(chunk, i))) as Row)
        if (rows.length === 0) continue
        const columns = restoreShapes(columnsOfRows(rows, position, like), chunk)
        like ??= columns
        position += rows.length
        yield columns
      }
    }
    return new Dataset({ open: mapped }, this.#size, this.#chunkRows)
  }

  /** Keeps the rows for which `f` holds. */
  filter(f: (row: Row) => boolean | Promise<boolean>): Dataset {
    const source = this
    async function* kept(): ColumnStream {
      for await (const chunk of source.#chunks()) {
        const rows: number[] = []
        for (let i = 0; i < rowsOf(chunk); i++) if (await f(rowAt(chunk, i))) rows.push(i)
        if (rows.length > 0) yield gatherRows(chunk, rows)
      }
    }
    return new Dataset({ open: kept }, undefined, this.#chunkRows)
  }

  /**
   * Applies a function to whole columns, the fast way to transform. It gets as many rows at a time as `batch(n)` set.
   *
   * @param options - `keepsRows`: promises that `f` returns as many rows as it gets, so that `size` stays known.
   */
  mapBatches(f: (batch: Columns) => Columns | Promise<Columns>, options: { keepsRows?: boolean } = {}): Dataset {
    const source = this
    async function* mapped(): ColumnStream {
      for await (const chunk of source.#chunks()) {
        const columns = await f(chunk)
        checkColumns(columns)
        if (options.keepsRows && rowsOf(columns) !== rowsOf(chunk))
          throw new ConfigError('A function that keepsRows changed the number of rows.', {
            expected: rowsOf(chunk),
            received: rowsOf(columns),
          })
        if (rowsOf(columns) > 0) yield columns
      }
    }
    return new Dataset({ open: mapped }, options.keepsRows ? this.#size : undefined, this.#chunkRows)
  }

  /** Random order, the same in every pass. */
  shuffle({ seed = 0, bufferSize = 10_000 }: ShuffleOptions = {}): Dataset {
    checkWhole('The bufferSize of shuffle', bufferSize)
    const positions = () => splitPositions(this.#size!, [1], seed)[0]!
    return this.#choose(positions, (stream) => shuffleStream(stream, bufferSize, seed), this.#size)
  }

  /** Sets how many rows `mapBatches` and `batches()` get at a time. */
  batch(size: number, { dropLast = false }: { dropLast?: boolean } = {}): Dataset {
    checkWhole('The size of a batch', size)
    const whole = this.#size === undefined ? undefined : Math.floor(this.#size / size) * size
    const rows = dropLast ? whole : this.#size
    const resident = this.resident
    if (resident) return Dataset.#resident(dropLast ? this.take(rows!).resident! : resident, size)
    return new Dataset({ open: () => rechunk(this.#chunks(), size, dropLast) }, rows, size)
  }

  /** The first `count` rows, or all where there are fewer. */
  take(count: number): Dataset {
    checkWhole('The number of rows to take', count, 0)
    const size = this.#size === undefined ? undefined : Math.min(count, this.#size)
    return this.#choose(
      () => countingPositions(0, size!),
      (stream) => sliceStream(stream, 0, count),
      size,
    )
  }

  /** All but the first `count` rows. */
  skip(count: number): Dataset {
    checkWhole('The number of rows to skip', count, 0)
    const size = this.#size === undefined ? undefined : Math.max(0, this.#size - count)
    return this.#choose(
      () => countingPositions(this.#size! - size!, this.#size!),
      (stream) => sliceStream(stream, count, Number.POSITIVE_INFINITY),
      size,
    )
  }

  /** Reads up to `count` chunks of a stream ahead of their use. Does nothing to a dataset in memory. */
  prefetch(count = 2): Dataset {
    checkWhole('The number of chunks to prefetch', count)
    if (this.resident) return this
    return new Dataset({ open: () => prefetchStream(this.#chunks(), count) }, this.#size, this.#chunkRows)
  }

  /**
   * The rows of one rank: `rank`, `rank + worldSize`, and so on.
   *
   * @example
   * const mine = data.shard(rank, worldSize, { evenly: 'drop' })
   */
  shard(rank: number, worldSize: number, { evenly = 'pad' }: ShardOptions = {}): Dataset {
    assertRank(rank, worldSize, evenly)
    const size = this.#size === undefined ? undefined : shardPositions(this.#size, rank, worldSize, evenly).length
    return this.#choose(
      () => shardPositions(this.#size!, rank, worldSize, evenly),
      (stream) => shardStream(stream, rank, worldSize, evenly),
      size,
    )
  }

  /**
   * Random parts without a row in common.
   *
   * @param fractions - Share of every part, by name; together 1.
   * @throws {StateError} for a stream: `await dataset.collect()` first.
   * @example
   * const { train, test } = data.split({ train: 0.8, test: 0.2 }, { seed: 7, stratifyBy: 'y' })
   */
  split<Name extends string>(
    fractions: Record<Name, number>,
    { seed = 0, stratifyBy }: SplitOptions = {},
  ): Record<Name, Dataset> {
    const { columns, index } = this.resident ?? streamed('split')
    let groups: ArrayLike<number | string> | undefined
    if (stratifyBy !== undefined) {
      const column = columnOf(columns, stratifyBy, 'split')
      if (column.shape.length !== 1)
        throw new ConfigError(`Cannot stratify by "${stratifyBy}".`, {
          expected: 'a column of shape [rows]',
          received: column.shape,
        })
      groups = index ? gatherRows({ column }, index).column!.data : column.data
    }
    const names = Object.keys(fractions) as Name[]
    const parts = splitPositions(
      this.#size!,
      names.map((name) => fractions[name]),
      seed,
      groups,
    )
    return Object.fromEntries(
      names.map((name, i) => [
        name,
        Dataset.#resident({ columns, index: composed(index, parts[i]!) }, this.#chunkRows),
      ]),
    ) as Record<Name, Dataset>
  }

  /** The rows one by one, as views. */
  async *rows(): AsyncGenerator<Row> {
    for await (const chunk of this.#chunks()) for (let i = 0; i < rowsOf(chunk); i++) yield rowAt(chunk, i)
  }

  /**
   * Batches of `size` rows; the last may have fewer.
   *
   * @param size - At least 1. @default what `batch(n)` set, else 1024
   * @returns Columns that may be views on the dataset's memory: read only.
   */
  batches(size: number = this.#chunkRows ?? CHUNK_ROWS): AsyncIterable<Columns> {
    checkWhole('The size of a batch', size)
    return this.resident ? residentChunks(this.resident, size) : rechunk(this.#chunks(), size)
  }

  /**
   * All rows at once. Reads a stream to its end, so an endless one needs `take(n)` before.
   *
   * @throws {DataError} if there is no row.
   */
  async columns(): Promise<Columns> {
    const resident = this.resident
    if (resident) return resident.index ? gatherRows(resident.columns, resident.index) : resident.columns
    const parts: Columns[] = []
    for await (const chunk of this.#chunks()) parts.push(chunk)
    if (parts.length === 0) throw new DataError('The dataset has no rows.')
    return concatColumns(parts)
  }

  /** The same rows, in memory. */
  async collect(): Promise<Dataset> {
    return this.resident
      ? this
      : Dataset.#resident({ columns: await this.columns(), index: undefined }, this.#chunkRows)
  }

  #choose(
    positions: () => Uint32Array,
    stream: (source: ColumnStream) => ColumnStream,
    size: number | undefined,
  ): Dataset {
    const resident = this.resident
    if (!resident) return new Dataset({ open: () => stream(this.#chunks()) }, size, this.#chunkRows)
    return Dataset.#resident(
      { columns: resident.columns, index: composed(resident.index, positions()) },
      this.#chunkRows,
    )
  }

  #chunks(): ColumnStream {
    const chunkRows = this.#chunkRows
    if ('resident' in this.#origin) return residentChunks(this.#origin.resident, chunkRows ?? CHUNK_ROWS)
    const stream = this.#origin.open()
    return chunkRows === undefined ? stream : rechunk(stream, chunkRows)
  }
}

async function* residentChunks({ columns, index }: Resident, size: number): ColumnStream {
  const total = index?.length ?? rowsOf(columns)
  for (let start = 0; start < total; start += size) {
    const end = Math.min(total, start + size)
    yield index ? gatherRows(columns, index.subarray(start, end)) : sliceColumns(columns, start, end)
  }
}

async function* checked(stream: AsyncIterable<Columns>): ColumnStream {
  for await (const chunk of stream) {
    checkColumns(chunk)
    if (rowsOf(chunk) > 0) yield chunk
  }
}

const composed = (index: Uint32Array | undefined, positions: Uint32Array) =>
  index ? positions.map((position) => index[position]!) : positions

const countingPositions = (start: number, end: number) => Uint32Array.from({ length: end - start }, (_, i) => start + i)

function streamed(operation: string): never {
  throw new StateError(`${operation} needs a dataset in memory; this one is a stream.`, {
    remedy: `Write (await dataset.collect()).${operation}(...)`,
  })
}
