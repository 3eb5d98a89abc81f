/** The readers that need nothing of Node. @module */

import { type ArrayFiles, arrayDataset } from './array-files.js'
import type { FileLike, OpenSource } from './byte-source.js'
import { type CsvOptions, csvDataset } from './csv.js'
import type { Dataset } from './dataset.js'
import type { FileDataset } from './file-dataset.js'
import { readIdxHeader } from './idx.js'
import { type JsonlOptions, jsonlDataset } from './jsonl.js'
import { readNpyHeader } from './npy.js'
import { parquetDataset } from './parquet.js'
import type { TableOptions } from './table.js'

/**
 * Readers of files. Each streams, holds a chunk of rows at a time, starts over for every pass, and unpacks what is
 * gzipped whatever its name.
 */
export interface Readers {
  /**
   * A table in a text file (RFC 4180). An empty number is NaN, a missing value. As a target, whole numbers of 32
   * bits become int32 classes.
   *
   * @throws {DataError} when it is read, with file, line, column and value, at a row that cannot be read.
   * @example
   * const wine = await sources.csv('wine.csv', { target: 'quality' }).collect()
   */
  csv(file: FileLike, options?: CsvOptions): FileDataset
  /**
   * One JSON object per line. Blank lines are left out; values become columns as in `Dataset.fromRows`, or, with `columns`
   * or `target`, as those of a table.
   *
   * @throws {DataError} when it is read, with file, line, column and value, at a row that cannot be read.
   */
  jsonl(file: FileLike, options?: JsonlOptions): FileDataset
  /**
   * A Parquet file, one row group in memory at a time, and only the columns asked for; of an address, only their bytes.
   *
   * Floats and booleans are read as float32; doubles, decimals and whole numbers as float64, as a target whole numbers as
   * int32; lists of numbers as `[rows, length of the first]`; texts, UUIDs and JSON as text, dates and times as text of
   * ISO 8601, to the millisecond.
   *
   * @throws {DataError} when it is read, with file, row, column and value, at a row that cannot be read: a whole number
   *   beyond 2^53, a missing one in int32, a list of another length; and for columns of structs, maps or bytes.
   * @example
   * const trips = sources.parquet('trips.parquet', { columns: ['distance', 'fare'], target: 'fare' })
   */
  parquet(file: FileLike, options?: TableOptions): FileDataset
  /**
   * Arrays that `numpy.save` wrote, `[rows, ...]` in C order. Booleans are read as 0 and 1 in uint8, int64 as int32.
   *
   * @param files - A file, for the column `x`, or one per column.
   * @throws {DataError} when it is read, with file and byte, if a file is cut off, or holds what a column cannot.
   * @example
   * const train = await sources.npy({ x: 'x.npy', y: 'y.npy' }).collect()
   */
  npy(files: ArrayFiles): Dataset
  /**
   * Arrays in idx files, the format of MNIST, `[rows, ...]`.
   *
   * @param files - A file, for the column `x`, or one per column.
   * @throws {DataError} when it is read, with file and byte, if a file is cut off or no idx file.
   * @example
   * const train = sources.idx({ x: 'train-images-idx3-ubyte.gz', y: 'train-labels-idx1-ubyte.gz' })
   */
  idx(files: ArrayFiles): Dataset
}

/** The readers over what opens files. */
export const readersOf = (open: OpenSource): Readers => ({
  csv: (file, options) => csvDataset(open(file), options),
  jsonl: (file, options) => jsonlDataset(open(file), options),
  parquet: (file, options) => parquetDataset(open(file), options),
  npy: (files) => arrayDataset(files, open, readNpyHeader),
  idx: (files) => arrayDataset(files, open, readIdxHeader),
})
