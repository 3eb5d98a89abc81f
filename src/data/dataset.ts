/**
 * A dataset: rows, stored and moved by column.
 *
 * Owns: order and choice of rows, lazy operations, batches.
 * Leaves: reading files to the sources, statistics to preprocess/, per-epoch order and ranks to training/.
 * @module
 */

import type * as tf from '@tensorflow/tfjs-core'
import { ConfigError, checkFunction, checkWhole, DataError, Random, StateError, withDefaults } from '../core/index.js'
import { type CacheOptions, cached } from './cache.js'
import { type Columns, checkColumns, concatColumns, gatherRows, rowsOf } from './columns.js'
import { type FoldOptions, foldOfRows } from './folds.js'
import { checkPass, fromMultiples, type Opener, type Pass, skippingForward, WHOLE } from './pass.js'
import { prefetchStream } from './prefetch.js'
import { chosen, countingPositions, type Resident, residentChunks } from './resident.js'
import { groupDefaults, labelsOf } from './row-groups.js'
import { checkRowSource, chunksOfRows } from './row-stream.js'
import { columnsOfRows, type Row, restoreShapes, rowAt } from './rows.js'
import { assertRank, type ShardOptions, shardPositions } from './sharding.js'
import { type SplitOptions, splitPositions } from './splitting.js'
import {
  CHUNK_ROWS,
  type ColumnStream,
  rechunk,
  type ShuffleOptions,
  shardStream,
  shuffleDefaults,
  shuffleStream,
  sliceStream,
} from './stream.js'
import { columnsOfTensors } from './tensors.js'

/** Where the rows of a dataset come from. */
type Origin = { readonly resident: Resident } | { readonly open: Opener }

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
   * Objects with the same columns each. Numbers become float32, or float64 where the first rows have a whole number that
   * 32 bits would change, such as an id; arrays keep their shape, strings stay strings.
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
    checkRowSource('Dataset.fromRows', rows)
    return new Dataset({ open: skippingForward(() => chunksOfRows(rows)) }, undefined)
  }

  /**
   * A stream of any size.
   *
   * @param batches - Called at the start of every pass; yields columns of any number of rows, in arrays that stay as they
   *   are: rows may wait there for others of their batch.
   * @param options - `size`: number of rows, when it is known. `seeks`: whether `batches` itself begins at `fromRow`,
   *   as a file with rows of one length can; otherwise it begins at the first row, and those before are left out.
   */
  static fromBatches(
    batches: (pass: Pass) => AsyncIterable<Columns>,
    options: { size?: number; seeks?: boolean } = {},
  ): Dataset {
    checkFunction('Dataset.fromBatches', batches)
    const { size, seeks } = withDefaults('Dataset.fromBatches', options, { size: undefined, seeks: false })
    const open = seeks
      ? (pass: Pass) => checked(batches(pass))
      : skippingForward((epoch) => checked(batches({ fromRow: 0, epoch })))
    return new Dataset({ open }, size)
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

  /** Applies a function, of nothing but the row, to every row. A flat array of the length of its column before keeps that column's shape. */
  map(f: (row: Row) => object | Promise<object>): Dataset {
    checkFunction('Dataset.map', f)
    const source = this
    async function* mapped(pass: Pass): ColumnStream {
      let like: Columns | undefined
      let position = pass.fromRow
      for await (const chunk of source.#chunks(pass)) {
        const rows: Row[] = []
        for (let i = 0; i < rowsOf(chunk); i++) rows.push((await f(rowAt(chunk, i))) as Row)
        if (rows.length === 0) continue
        const columns = restoreShapes(columnsOfRows(rows, { firstRow: position, like }), chunk)
        like ??= columns
        position += rows.length
        yield columns
      }
    }
    return new Dataset({ open: mapped }, this.#size, this.#chunkRows)
  }

  /** Keeps the rows for which `f` holds. */
  filter(f: (row: Row) => boolean | Promise<boolean>): Dataset {
    checkFunction('Dataset.filter', f)
    const source = this
    async function* kept(epoch: number): ColumnStream {
      for await (const chunk of source.#chunks({ fromRow: 0, epoch })) {
        const rows: number[] = []
        for (let i = 0; i < rowsOf(chunk); i++) if (await f(rowAt(chunk, i))) rows.push(i)
        if (rows.length > 0) yield gatherRows(chunk, rows)
      }
    }
    return new Dataset({ open: skippingForward(kept) }, undefined, this.#chunkRows)
  }

  /**
   * Applies a function to whole columns, the fast way to transform. It gets as many rows at a time as `batch(n)` set.
   *
   * @param options - `keepsRows`: promises that `f` returns as many rows as it gets, so that `size` stays known.
   */
  mapBatches(f: (batch: Columns) => Columns | Promise<Columns>, options: { keepsRows?: boolean } = {}): Dataset {
    checkFunction('Dataset.mapBatches', f)
    const { keepsRows } = withDefaults('Dataset.mapBatches', options, { keepsRows: false })
    const source = this
    async function* mapped(pass: Pass): ColumnStream {
      for await (const chunk of source.#chunks(pass)) {
        const columns = await f(chunk)
        checkColumns(columns)
        if (keepsRows && rowsOf(columns) !== rowsOf(chunk))
          throw new ConfigError('A function that keepsRows changed the number of rows.', {
            expected: rowsOf(chunk),
            received: rowsOf(columns),
          })
        if (rowsOf(columns) > 0) yield columns
      }
    }
    // The function may look at rows together, so that it gets the same ones whatever row a pass begins at.
    const together = this.resident ? (this.#chunkRows ?? CHUNK_ROWS) : this.#chunkRows
    const open =
      keepsRows && together !== undefined
        ? fromMultiples(together, mapped)
        : skippingForward((epoch) => mapped({ fromRow: 0, epoch }))
    return new Dataset({ open }, keepsRows ? this.#size : undefined, this.#chunkRows)
  }

  /** Random order, the same in every pass. */
  shuffle(options: ShuffleOptions = {}): Dataset {
    const { seed, bufferSize, reshuffle } = withDefaults('Dataset.shuffle', options, shuffleDefaults)
    checkWhole('The bufferSize of shuffle', bufferSize)
    const randomOf = (epoch: number) => new Random(seed, reshuffle ? epoch : 0)
    const resident = this.resident
    if (!resident) {
      const shuffled = (epoch: number) =>
        shuffleStream(this.#chunks({ fromRow: 0, epoch }), bufferSize, randomOf(epoch))
      return new Dataset({ open: skippingForward(shuffled) }, this.#size, this.#chunkRows)
    }
    const inOrder = (epoch: number) => chosen(resident, randomOf(epoch).permutation(this.#size!))
    if (!reshuffle) return Dataset.#resident(inOrder(0), this.#chunkRows)
    const open = ({ fromRow, epoch }: Pass) => residentChunks(inOrder(epoch), this.#chunkRows ?? CHUNK_ROWS, fromRow)
    return new Dataset({ open }, this.#size, this.#chunkRows)
  }

  /** Sets how many rows `mapBatches` and `batches()` get at a time. */
  batch(size: number, options: { dropLast?: boolean } = {}): Dataset {
    const { dropLast } = withDefaults('Dataset.batch', options, { dropLast: false })
    checkWhole('The size of a batch', size)
    const whole = this.#size === undefined ? undefined : Math.floor(this.#size / size) * size
    const rows = dropLast ? whole : this.#size
    const resident = this.resident
    if (resident) return Dataset.#resident(dropLast ? this.take(rows!).resident! : resident, size)
    const open = fromMultiples(size, (pass) => rechunk(this.#chunks(pass), size, dropLast))
    return new Dataset({ open }, rows, size)
  }

  /** The first `count` rows, or all where there are fewer. */
  take(count: number): Dataset {
    checkWhole('The number of rows to take', count, 0)
    const size = this.#size === undefined ? undefined : Math.min(count, this.#size)
    return this.#choose(
      () => countingPositions(0, size!),
      (pass) => sliceStream(this.#chunks(pass), 0, count - pass.fromRow),
      size,
    )
  }

  /** All but the first `count` rows. */
  skip(count: number): Dataset {
    checkWhole('The number of rows to skip', count, 0)
    const size = this.#size === undefined ? undefined : Math.max(0, this.#size - count)
    return this.#choose(
      () => countingPositions(this.#size! - size!, this.#size!),
      ({ fromRow, epoch }) => this.#chunks({ fromRow: fromRow + count, epoch }),
      size,
    )
  }

  /**
   * Keeps up to `count` chunks of a stream ready while the one before is worked on: reading goes on during a training
   * step. Put it last, behind `map` and its like. Does nothing to a dataset in memory.
   */
  prefetch(count = 2): Dataset {
    checkWhole('The number of chunks to prefetch', count)
    if (this.resident) return this
    const open = (pass: Pass) => prefetchStream(this.#chunks(pass), count)
    return new Dataset({ open }, this.#size, this.#chunkRows)
  }

  /**
   * Reads a stream once and keeps its rows, so that later passes need not read, parse and map again. Only a pass to its
   * end fills it: put it before `shuffle` and behind `take`. Does nothing to a dataset in memory.
   *
   * @example
   * const train = sources.csv('train.csv').cache().shuffle({ seed: 1, reshuffle: true })
   */
  cache(options: CacheOptions = {}): Dataset {
    const open = cached((pass) => this.#chunks(pass), options)
    return this.resident ? this : new Dataset({ open }, this.#size, this.#chunkRows)
  }

  /**
   * The rows of one rank: `rank`, `rank + worldSize`, and so on. As PyTorch's DistributedSampler it repeats a few rows
   * by default, so that all ranks take as many training steps; to evaluate, pass `evenly: false`, and no row counts
   * twice. `Trainer` and its strategies share each batch among workers by themselves, without a repetition.
   *
   * @example
   * const mine = data.shard(rank, worldSize, { evenly: 'drop' })
   */
  shard(rank: number, worldSize: number, options: ShardOptions = {}): Dataset {
    const { evenly } = withDefaults('Dataset.shard', options, { evenly: 'pad' })
    assertRank(rank, worldSize, evenly)
    const size = this.#size === undefined ? undefined : shardPositions(this.#size, rank, worldSize, evenly).length
    return this.#choose(
      () => shardPositions(this.#size!, rank, worldSize, evenly),
      skippingForward((epoch) => shardStream(this.#chunks({ fromRow: 0, epoch }), rank, worldSize, evenly)),
      size,
    )
  }

  /**
   * Random parts without a row in common.
   *
   * @param fractions - Share of every part, by name; together 1.
   * @throws {StateError} for a stream: `await dataset.collect()` first.
   * @throws {DataError} if a part would be empty.
   * @example
   * const { train, test } = data.split({ train: 0.8, test: 0.2 }, { seed: 7, stratifyBy: 'y' })
   */
  split<Name extends string>(fractions: Record<Name, number>, options: SplitOptions = {}): Record<Name, Dataset> {
    const { seed, ...groups } = withDefaults('Dataset.split', options, { ...groupDefaults, seed: 0 })
    const { columns, index } = this.resident ?? streamed('split')
    const names = Object.keys(fractions) as Name[]
    const shares = names.map((name) => fractions[name])
    const parts = splitPositions(this.#size!, shares, { seed, ...labelsOf(columns, index, groups, 'split') })
    return Object.fromEntries(names.map((name, i) => [name, this.#pick(parts[i]!)])) as Record<Name, Dataset>
  }

  /**
   * Cuts the rows into `folds` parts and gives, for each, that part to validate on and the others to train on.
   *
   * @param folds - At least 2.
   * @throws {StateError} for a stream: `await dataset.collect()` first.
   * @throws {DataError} for fewer rows, or groups, than folds.
   * @example
   * for (const { train, validation } of data.kFold(5, { seed: 7, stratifyBy: 'y' })) await trainer.fit(train, { validation })
   */
  kFold(folds: number, options: FoldOptions = {}): { train: Dataset; validation: Dataset }[] {
    const { seed, ...groups } = withDefaults('Dataset.kFold', options, { ...groupDefaults, seed: 0 })
    const { columns, index } = this.resident ?? streamed('kFold')
    const foldOf = foldOfRows(this.#size!, folds, { seed, ...labelsOf(columns, index, groups, 'kFold') })
    const rows = countingPositions(0, this.#size!)
    return Array.from({ length: folds }, (_, fold) => ({
      train: this.#pick(rows.filter((row) => foldOf[row] !== fold)),
      validation: this.#pick(rows.filter((row) => foldOf[row] === fold)),
    }))
  }

  /** The rows one by one, as views. */
  async *rows(): AsyncGenerator<Row> {
    for await (const chunk of this.#chunks()) for (let i = 0; i < rowsOf(chunk); i++) yield rowAt(chunk, i)
  }

  /**
   * Batches of `size` rows; the last may have fewer.
   *
   * @param size - At least 1. @default what `batch(n)` set, else 1024
   * @param pass - Where to begin: the same batches come from there on as in a whole pass, if `fromRow` is a multiple of
   *   `size`. What can, begins there; what cannot (a text file, `filter`, `shuffle` and `shard` of a stream, `mapBatches`
   *   of one without `batch(n)`) reads what is before and leaves it out.
   * @returns Columns that may be views on the dataset's memory: read only.
   */
  batches(size: number = this.#chunkRows ?? CHUNK_ROWS, pass: Partial<Pass> = {}): AsyncIterable<Columns> {
    checkWhole('The size of a batch', size)
    const start = checkPass(pass)
    return this.resident ? residentChunks(this.resident, size, start.fromRow) : rechunk(this.#chunks(start), size)
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
    if (parts.length === 0)
      throw new DataError('The dataset has no rows.', { remedy: 'Look whether a filter leaves any, and at its source' })
    return concatColumns(parts)
  }

  /** The same rows, in memory. */
  async collect(): Promise<Dataset> {
    return this.resident
      ? this
      : Dataset.#resident({ columns: await this.columns(), index: undefined }, this.#chunkRows)
  }

  #choose(positions: () => Uint32Array, open: Opener, size: number | undefined): Dataset {
    return this.resident ? this.#pick(positions()) : new Dataset({ open }, size, this.#chunkRows)
  }

  /** Rows of a dataset in memory, by their positions. */
  #pick(positions: Uint32Array): Dataset {
    return Dataset.#resident(chosen(this.resident!, positions), this.#chunkRows)
  }

  #chunks(pass: Pass = WHOLE): ColumnStream {
    const chunkRows = this.#chunkRows
    if ('resident' in this.#origin) return residentChunks(this.#origin.resident, chunkRows ?? CHUNK_ROWS, pass.fromRow)
    const stream = this.#origin.open(pass)
    return chunkRows === undefined ? stream : rechunk(stream, chunkRows)
  }
}

async function* checked(stream: AsyncIterable<Columns>): ColumnStream {
  for await (const chunk of stream) {
    checkColumns(chunk)
    if (rowsOf(chunk) > 0) yield chunk
  }
}

function streamed(operation: string): never {
  throw new StateError(`${operation} needs a dataset in memory; this one is a stream.`, {
    remedy: `Write (await dataset.collect()).${operation}(...)`,
  })
}
