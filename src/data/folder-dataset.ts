/** Datasets of folders: a file is a row, its subfolder the class. @module */

import { DataError } from '../core/index.js'
import type { BadRowPass, OnError } from './bad-rows.js'
import type { Columns } from './columns.js'
import { type FileDataset, fileDataset } from './file-dataset.js'
import { type FolderFile, type FolderOptions, folderFiles } from './folder-files.js'

/** How the files of a folder become rows. */
export interface FolderReader<Value> {
  /** In lower case, with the dot. */
  extensions: readonly string[]
  /** Files read at once. */
  chunkFiles: number
  /** Reads a file. @throws {DataError} if it is bad. */
  read(path: string): Promise<Value>
  /** Is asked about each file in order. @throws {DataError} if it does not fit those before it. */
  check?(value: Value, path: string): void
  /** The columns of rows, without class and name. */
  columnsOf(values: readonly Value[]): Columns
}

/**
 * The files below a folder, streamed in the order of their names: the reader's columns; `y`, the class as text, which
 * `ordinal('y')` numbers; `file`, the name.
 *
 * @param start - Makes what reads one pass.
 */
export function folderDataset<Value>(
  folder: string,
  options: FolderOptions & { onError?: OnError },
  start: () => FolderReader<Value> | Promise<FolderReader<Value>>,
): FileDataset {
  return fileDataset(folder, options.onError, async function* (pass) {
    const reader = await start()
    const files = await folderFiles(folder, reader.extensions, options)
    for (let first = 0; first < files.length; first += reader.chunkFiles)
      yield await readFiles(reader, files.slice(first, first + reader.chunkFiles), first, pass)
  })
}

async function readFiles<Value>(
  reader: FolderReader<Value>,
  files: readonly FolderFile[],
  first: number,
  pass: BadRowPass,
): Promise<Columns> {
  const outcomes = await Promise.allSettled(files.map(({ path }) => reader.read(path)))
  const values: Value[] = []
  const good = files.filter(({ path, name }, i) => {
    const outcome = outcomes[i]!
    try {
      if (outcome.status === 'rejected') throw outcome.reason
      reader.check?.(outcome.value, path)
      values.push(outcome.value)
      return true
    } catch (error) {
      if (!(error instanceof DataError)) throw error
      pass.add({ row: first + i }, { what: error.message, value: name, error })
      return false
    }
  })
  return {
    ...reader.columnsOf(values),
    y: { data: good.map(({ label }) => label), shape: [good.length] },
    file: { data: good.map(({ name }) => name), shape: [good.length] },
  }
}
