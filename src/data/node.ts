import { audioFolder } from './audio-folder.js'
import { fileSource } from './file-source.js'
import { mnist } from './mnist.js'
import { readersOf } from './readers.js'

export type { AudioFolderOptions } from './audio-folder.js'
export { type FindMnistOptions, type FoundMnist, findMnist } from './find-mnist.js'
export type { FolderOptions } from './folder-files.js'
export { type MnistSplit, mnistFolder } from './mnist.js'
export type { TableFormat } from './table-formats.js'
export { type WriteTableOptions, writeTable } from './write-table.js'

/** Readers of files, all with a clear DataError on bad input: those of `dcml`, of paths too, and those that need Node. */
export const sources = {
  ...readersOf(fileSource),
  /** MNIST from its original files. */
  mnist,
  /** Sounds below a folder, streamed. */
  audioFolder,
}
