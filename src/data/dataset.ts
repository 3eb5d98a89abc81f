/**
 * Data to train on: columns in memory with an order of rows, or a stream of batches of any length.
 *
 * Owns: order, selection and transformation of rows. Every operation gives a new dataset; nothing is copied or run
 * before the rows are asked for.
 * @module
 */

import type * as tf from '@tensorflow/tfjs-core'
import { ConfigError, DataError, Random } from '../core/index.js'
import { type Columns, checkColumns, concatColumns, gatherRows, rowsOf } from './columns.js'
import {
  batchesOf,
  collectRows,
  columnsFromRows,
  prefetched,
  type Row,
  rowsOfColumns,
  shuffledRows,
} from './streams.js'

/** Columns in memory and the rows of them that a dataset has, in order. */
export interface Resident {
  columns: Columns
  /** Row numbers; undefined means all, in order. */
  order: Uint32Array | undefined
}

type Source =
  | ({ kind: 'resident' } & Resident)
  | { kind: 'stream'; batches: () => AsyncIterable<Columns>; size: number | undefined }

const STREAM_BATCH = 256

/**
 * Rows with named columns. `x` (features) and `y` (target) are the names that training looks for.
 *
 * @example
 * const train = Dataset.fromArrays({ x: { data: pixels, shape: [60000, 28, 28, 1] }, y: { data: labels, shape: [60000] } })
 */
export class Dataset {
  readonly #source: Source

  private constructor(source: Source) {
    this.#source = source
  }

  /** Copies tensors `[rows, ...]` out of their backend. The tensors stay the caller's. */
  static fromTensors(columns: Record<string, tf.Tensor>): Dataset {
    return Dataset.fromArrays(
      Object.fromEntries(
        Object.entries(columns).map(([name, tensor]) => [
          name,
          { data: tensor.dataSync() as Float32Array | Int32Array, shape: [...tensor.shape] },
        ]),
      ),
    )
  }

  /** Takes arrays as they are, without a copy. Do not change them while the dataset is in use. */
  static fromArrays(columns: Columns): Dataset {
    checkColumns(columns)
    return new Dataset({ kind: 'resident', columns, order: undefined })
  }

  /**
   * Takes objects, one per row; every value is a number, a string, or an array of numbers. A generator can be run once;
   * what can be iterated again (an array, a class with an iterator) can be trained on for many epochs.
   */
  static fromRows(rows: Iterable<object> | AsyncIterable<object>): Dataset {
    if (Array.isArray(rows)) return Dataset.fromArrays(columnsFromRows(rows as Row[], 0))
    return new Dataset({
      kind: 'stream',
      batches: () => collectRows(rows as AsyncIterable<Row>, STREAM_BATCH),
      size: undefined,
    })
  }

  /** Takes a stream; `batches` is called again for every pass, and its batches may have any size. */
  static fromBatches(batches: () => AsyncIterable<Columns>): Dataset {
    return new Dataset({ kind: 'stream', batches, size: undefined })
  }

  /** Number of rows; undefined for a stream. */
  get size(): number | undefined {
    const source = this.#source
    return source.kind === 'stream' ? source.size : (source.order?.length ?? rowsOf(source.columns))
  }

  /** The columns without a copy, when they are in memory. */
  get resident(): Resident | undefined {
    return this.#source.kind === 'resident' ? this.#source : undefined
  }

  /** Changes each row. Runs in this thread. */
  map(f: (row: Row) => object): Dataset {
    return this.mapBatches((columns) =>
      columnsFromRows(
        rowsOfColumns(columns).map((row) => f(row) as Row),
        0,
      ),
    )
  }

  /** Keeps the rows for which `f` is true. */
  filter(f: (row: Row) => boolean): Dataset {
    return this.#stream(
      () => this.batches(STREAM_BATCH),
      (columns) => {
        const kept: number[] = []
        rowsOfColumns(columns).forEach((row, i) => {
          if (f(row)) kept.push(i)
        })
        return gatherRows(columns, kept)
      },
      undefined,
    )
  }

  /** Changes columns many rows at a time; the number of rows must stay. The fast form of `map`. */
  mapBatches(f: (columns: Columns) => Columns): Dataset {
    return this.#stream(
      () => this.batches(STREAM_BATCH),
      (columns) => {
        const changed = f(columns)
        checkColumns(changed)
        return changed
      },
      this.size,
    )
  }

  /**
   * Changes the order. In memory every order is equally likely; a stream is shuffled through a buffer of
   * `bufferSize` rows (default 10,000).
   */
  shuffle({ seed, bufferSize = 10_000 }: { seed: number; bufferSize?: number }): Dataset {
    const { resident } = this
    if (resident) return this.#ordered(new Random(seed).shuffle(this.#order(resident).slice()))
    return new Dataset({
      kind: 'stream',
      batches: () => shuffledRows(this.batches(STREAM_BATCH), new Random(seed), bufferSize),
      size: this.size,
    })
  }

  /** Cuts into batches, for code that reads `batches()` without a size. `dropLast` leaves out a shorter last one. */
  batch(n: number, { dropLast = false }: { dropLast?: boolean } = {}): Dataset {
    checkCount('batch', n, 1)
    const batches = () => batchesOf(this.#parts(n), n, dropLast)
    const size = this.size === undefined || !dropLast ? this.size : Math.floor(this.size / n) * n
    return new Dataset({ kind: 'stream', batches, size })
  }

  /** The first `n` rows. */
  take(n: number): Dataset {
    checkCount('take', n, 0)
    return this.#range(0, n)
  }

  /** All rows but the first `n`. */
  skip(n: number): Dataset {
    checkCount('skip', n, 0)
    return this.#range(n, Number.POSITIVE_INFINITY)
  }

  /** Reads `n` batches ahead while the caller works on the one before. */
  prefetch(n = 1): Dataset {
    checkCount('prefetch', n, 1)
    if (this.resident) return this
    return new Dataset({ kind: 'stream', batches: () => prefetched(this.batches(STREAM_BATCH), n), size: this.size })
  }

  /**
   * Every `worldSize`-th row from `rank` on.
   *
   * @param options - `evenly`: 'pad' repeats rows until all shards are as long, 'drop' leaves rows out, false (the
   *   default) lets the first shards be one row longer.
   */
  shard(rank: number, worldSize: number, { evenly = false }: { evenly?: 'pad' | 'drop' | false } = {}): Dataset {
    if (!(Number.isInteger(rank) && rank >= 0 && rank < worldSize))
      throw new ConfigError('The rank is not one of the world.', { expected: `0 to ${worldSize - 1}`, received: rank })
    const { resident } = this
    if (!resident)
      throw new ConfigError('A stream cannot be sharded by row.', { remedy: 'Give each worker a stream of its own' })
    const order = this.#order(resident)
    const total =
      evenly === 'pad'
        ? Math.ceil(order.length / worldSize) * worldSize
        : evenly === 'drop'
          ? Math.floor(order.length / worldSize) * worldSize
          : order.length
    const mine: number[] = []
    if (order.length > 0) for (let i = rank; i < total; i += worldSize) mine.push(order[i % order.length]!)
    return this.#ordered(Uint32Array.from(mine))
  }

  /**
   * Divides the rows at random.
   *
   * @param parts - Share of each part; they must add up to 1.
   * @param options - `stratifyBy`: a column whose values keep their shares in each part.
   */
  split(
    parts: { train: number; test: number },
    { seed = 0, stratifyBy }: { seed?: number; stratifyBy?: string } = {},
  ): { train: Dataset; test: Dataset } {
    const { resident } = this
    if (!resident)
      throw new ConfigError('A stream cannot be split at random.', {
        remedy: 'Collect it first: Dataset.fromArrays(await dataset.columns())',
      })
    if (!(parts.train >= 0 && parts.test >= 0 && Math.abs(parts.train + parts.test - 1) < 1e-9))
      throw new ConfigError('The parts of a split do not add up.', {
        expected: 'shares that add up to 1',
        received: `${parts.train} and ${parts.test}`,
      })
    const order = this.#order(resident)
    const groups = new Map<unknown, number[]>()
    const labels = stratifyBy === undefined ? undefined : resident.columns[stratifyBy]
    if (stratifyBy !== undefined && !labels) throw unknownColumn(stratifyBy, resident.columns)
    for (const row of order) {
      const key = labels?.data[row]
      const group = groups.get(key)
      if (group) group.push(row)
      else groups.set(key, [row])
    }
    const random = new Random(seed)
    const train: number[] = []
    const test: number[] = []
    for (const group of groups.values()) {
      random.shuffle(group)
      const cut = Math.round(group.length * parts.train)
      train.push(...group.slice(0, cut))
      test.push(...group.slice(cut))
    }
    return {
      train: this.#ordered(random.shuffle(Uint32Array.from(train))),
      test: this.#ordered(random.shuffle(Uint32Array.from(test))),
    }
  }

  /** The rows as objects. */
  async *rows(): AsyncIterable<Row> {
    for await (const columns of this.batches(STREAM_BATCH)) yield* rowsOfColumns(columns)
  }

  /** The rows in batches of `n`; the last may be shorter. */
  batches(n: number): AsyncIterable<Columns> {
    checkCount('batches', n, 1)
    return batchesOf(this.#parts(n), n, false)
  }

  /** All rows in memory. Of a stream without end this never returns. */
  async columns(): Promise<Columns> {
    const { resident } = this
    if (resident) return resident.order ? gatherRows(resident.columns, resident.order) : resident.columns
    const parts: Columns[] = []
    for await (const part of this.#parts(STREAM_BATCH)) parts.push(part)
    return concatColumns(parts)
  }

  #order(resident: Resident): Uint32Array {
    return resident.order ?? Uint32Array.from({ length: rowsOf(resident.columns) }, (_, i) => i)
  }

  #ordered(order: Uint32Array): Dataset {
    const { resident } = this
    return new Dataset({ kind: 'resident', columns: resident!.columns, order })
  }

  #range(from: number, to: number): Dataset {
    const { resident, size } = this
    if (resident) return this.#ordered(this.#order(resident).subarray(from, Math.min(to, size!)))
    const parts = () => this.#parts(STREAM_BATCH)
    return new Dataset({
      kind: 'stream',
      size: size === undefined ? undefined : Math.max(0, Math.min(to, size) - from),
      async *batches() {
        let at = 0
        for await (const columns of parts()) {
          const rows = rowsOf(columns)
          const first = Math.max(0, from - at)
          const last = Math.min(rows, to - at)
          if (first < last)
            yield gatherRows(
              columns,
              Uint32Array.from({ length: last - first }, (_, i) => first + i),
            )
          at += rows
          if (at >= to) return
        }
      },
    })
  }

  #stream(
    parts: () => AsyncIterable<Columns>,
    change: (columns: Columns) => Columns,
    size: number | undefined,
  ): Dataset {
    return new Dataset({
      kind: 'stream',
      size,
      async *batches() {
        for await (const columns of parts()) {
          const changed = change(columns)
          if (rowsOf(changed) > 0) yield changed
        }
      },
    })
  }

  async *#parts(n: number): AsyncIterable<Columns> {
    const source = this.#source
    if (source.kind === 'stream') {
      for await (const columns of source.batches()) {
        checkColumns(columns)
        yield columns
      }
      return
    }
    const order = this.#order(source)
    for (let from = 0; from < order.length; from += n)
      yield gatherRows(source.columns, order.subarray(from, Math.min(order.length, from + n)))
  }
}

/** The error for a column that is not there. */
export function unknownColumn(name: string, columns: Columns): DataError {
  return new DataError(`The dataset has no column '${name}'.`, {
    expected: `one of ${Object.keys(columns).join(', ')}`,
    received: name,
  })
}

function checkCount(what: string, value: number, from: number): void {
  if (Number.isInteger(value) && value >= from) return
  throw new ConfigError(`The number given to ${what} is out of range.`, {
    expected: `a whole number of at least ${from}`,
    received: value,
  })
}
