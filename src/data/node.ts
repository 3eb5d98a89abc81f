import { arrowDataset } from './arrow.js'
import { audioFolder } from './audio-folder.js'
import type { FileLike } from './byte-source.js'
import type { FileDataset } from './file-dataset.js'
import { fileSource } from './file-source.js'
import { imageFolder } from './image-folder.js'
import { mnist } from './mnist.js'
import { readersOf } from './readers.js'
import { sql } from './sql.js'
import type { TableOptions } from './table.js'

export type { AudioFolderOptions } from './audio-folder.js'
export { type FindMnistOptions, type FoundMnist, findMnist } from './find-mnist.js'
export type { FolderOptions } from './folder-files.js'
export type { ImageFolderOptions } from './image-folder.js'
export { type MnistSplit, mnistFolder } from './mnist.js'
export type { SqlOptions, SqlValue } from './sql.js'
export type { TableFormat } from './table-formats.js'
export { type WriteTableOptions, writeTable } from './write-table.js'

/** Readers of files, all with a clear DataError on bad input: those of `dcml`, of paths too, and those that need Node. */
export const sources = {
  ...readersOf(fileSource),
  /** MNIST from its original files. */
  mnist,
  /**
   * An Arrow (Feather 2) file or stream, a record batch in memory at a time. Types are read as `sources.parquet` reads
   * them. Needs the package `apache-arrow`; where its buffers are packed by LZ4, as those of Feather files mostly are, also
   * `lz4js`.
   *
   * @throws {ConfigError} when it is read, without these packages.
   * @throws {DataError} when it is read, with file, row, column and value, at a row that cannot be read.
   */
  arrow: (file: FileLike, options?: TableOptions): FileDataset => arrowDataset(fileSource(file), options),
  /** The rows of a query over files and databases, run by DuckDB. Needs the package `@duckdb/node-api`. */
  sql,
  /** Sounds below a folder, streamed. */
  audioFolder,
  /** Pictures below a folder, streamed. Needs the package `sharp`. */
  imageFolder,
}
