/** Writes datasets to files. @module */

import { randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { ConfigError, checkGiven, withDefaults } from '../core/index.js'
import { checkDataset } from './check-dataset.js'
import type { Dataset } from './dataset.js'
import { TABLE_FORMATS, type TableFormat, tablePieces } from './table-formats.js'

/** How a table is written. */
export interface WriteTableOptions {
  /** @default by the ending of the path: .csv, .jsonl, .ndjson or .parquet, the texts also with .gz, which packs them */
  format?: TableFormat
}

/**
 * Writes a dataset, streamed: to CSV, JSON lines or Parquet. `sources` reads it back.
 *
 * A missing number is empty in CSV, NaN in Parquet and null in JSON, which an infinite one becomes too. A column
 * `[rows, n]` is `name0`, `name1`, ... in CSV, an array in JSON, a list in Parquet.
 *
 * @param to - A path, which holds what it held until all is written; or a stream, which is not ended.
 * @throws {ConfigError} for an ending that names no format, or an unknown format.
 * @throws {DataError} for a dataset without rows, or chunks that differ in their columns.
 * @example
 * await writeTable(dataset, 'cleaned.parquet')
 */
export async function writeTable(
  dataset: Dataset,
  to: string | Writable,
  options: WriteTableOptions = {},
): Promise<void> {
  checkDataset('What is to be written', dataset)
  const { format = typeof to === 'string' ? formatOf(to) : undefined } = withDefaults('writeTable', options, {
    format: undefined,
  })
  if (format === undefined) throw new ConfigError('A stream has no ending.', { remedy: "Pass format, such as 'csv'" })
  checkGiven(TABLE_FORMATS.includes(format), 'The format of a table is unknown.', {
    expected: TABLE_FORMATS.join(', '),
    received: format,
  })
  const pieces = Readable.from(tablePieces(dataset, format), { objectMode: false })
  if (typeof to !== 'string') return pipeline(pieces, to, { end: false })
  await replaceFile(to, (path) =>
    to.endsWith('.gz')
      ? pipeline(pieces, createGzip(), createWriteStream(path))
      : pipeline(pieces, createWriteStream(path)),
  )
}

/** Puts a file in place once it is written whole. What is no file, such as a pipe or /dev/stdout, is written itself. */
async function replaceFile(to: string, write: (path: string) => Promise<void>): Promise<void> {
  const found = await stat(to).catch(() => undefined)
  if (found && !found.isFile()) return write(to)
  const target = found ? await realpath(to) : to
  const temporary = join(dirname(target), `.dcml-${randomUUID()}`)
  try {
    await write(temporary)
    await rename(temporary, target)
  } catch (error) {
    await rm(temporary, { force: true })
    if (error instanceof Error) error.message = error.message.replace(temporary, to)
    throw error
  }
}

function formatOf(path: string): TableFormat {
  const [, ending, packed] = /\.(csv|jsonl|ndjson|parquet)(\.gz)?$/.exec(path) ?? []
  if (ending === undefined || (ending === 'parquet' && packed))
    throw new ConfigError(`The ending of ${path} names no format.`, {
      expected: '.csv, .jsonl or .parquet',
      remedy: 'Name it so, or pass format',
    })
  return ending === 'ndjson' ? 'jsonl' : (ending as TableFormat)
}
