import { audioFolder } from './audio-folder.js'
import { csv } from './csv.js'
import { idx } from './idx.js'
import { jsonl } from './jsonl.js'
import { mnist } from './mnist.js'
import { npy } from './npy.js'

export type { ArrayFiles } from './array-files.js'
export type { AudioFolderOptions } from './audio-folder.js'
export type { CsvOptions, CsvType } from './csv.js'
export { type FindMnistOptions, type FoundMnist, findMnist } from './find-mnist.js'
export type { FolderOptions } from './folder-files.js'
export { type MnistSplit, mnistFolder } from './mnist.js'

/** Readers of files, all with a clear DataError on bad input. */
export const sources = {
  /** MNIST from its original files. */
  mnist,
  /** Rows of a CSV file, streamed. */
  csv,
  /** Rows of a file with one JSON object a line, streamed. */
  jsonl,
  /** Arrays that numpy saved, streamed. */
  npy,
  /** Arrays in the format of MNIST, streamed. */
  idx,
  /** Sounds below a folder, streamed. */
  audioFolder,
}
