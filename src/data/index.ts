export type { ArrayFiles } from './array-files.js'
export type { BadRow, BadRows, OnError } from './bad-rows.js'

import { webSource } from './byte-source.js'
import { readersOf } from './readers.js'

export type { FileLike } from './byte-source.js'
export type { CacheOptions } from './cache.js'
export { checkDataset } from './check-dataset.js'
export {
  type Column,
  type Columns,
  checkColumns,
  columnOf,
  concatColumns,
  gatherRows,
  numbersOf,
  rowsOf,
} from './columns.js'
export type { CsvOptions } from './csv.js'
export { Dataset } from './dataset.js'
export { datasets } from './datasets.js'
export type { FileDataset } from './file-dataset.js'
export type { FoldOptions } from './folds.js'
export { type InterleaveOptions, interleave } from './interleave.js'
export type { JsonlOptions } from './jsonl.js'
export type { Pass } from './pass.js'
export type { Readers } from './readers.js'
export type { Resident } from './resident.js'
export type { RowGroups } from './row-groups.js'
export { checkRowSource, chunksOfRows, type RowSource } from './row-stream.js'
export { columnsOfRows, type Row, rowAt } from './rows.js'
export type { ShardOptions } from './sharding.js'
export type { SplitOptions } from './splitting.js'
export type { ShuffleOptions } from './stream.js'
export type { ColumnType, TableOptions } from './table.js'

/** Readers of files by address or as Blobs, in a browser too. Those of `dcml/node` also take paths. */
export const sources = readersOf(webSource)
