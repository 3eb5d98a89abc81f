/** Sounds in a folder. @module */

import { checkWhole, DataError } from '../core/index.js'
import type { Columns } from './columns.js'
import { Dataset } from './dataset.js'
import { type FolderOptions, folderFiles } from './folder-files.js'
import { readWav } from './wav.js'

/** How sounds become rows. */
export interface AudioFolderOptions extends FolderOptions {
  /** Length of every row: longer sounds are cut, shorter ones filled with silence. */
  samples: number
  /** Samples per second that every file must have. @default that of the first */
  sampleRate?: number
}

/** Sounds read at once. */
const CHUNK_FILES = 64

/**
 * The WAV files below a folder, streamed in the order of their names: `x` `[rows, samples]`, float32, -1 to 1, channels
 * mixed to one; `y`, the class as text, which `ordinal('y')` numbers; `file`, the name.
 *
 * @throws {DataError} when it is read, naming the file, for one that is damaged or has another sample rate.
 * @example
 * sources.audioFolder('digits', { samples: 8000, label: (name) => name[0] })
 */
export function audioFolder(folder: string, options: AudioFolderOptions): Dataset {
  checkWhole('samples of audioFolder', options.samples)
  return Dataset.fromBatches(() => readChunks(folder, options))
}

async function* readChunks(
  folder: string,
  { samples, sampleRate, label }: AudioFolderOptions,
): AsyncGenerator<Columns> {
  const files = await folderFiles(folder, ['.wav'], label ? { label } : {})
  let rate = sampleRate
  for (let start = 0; start < files.length; start += CHUNK_FILES) {
    const chunk = files.slice(start, start + CHUNK_FILES)
    const sounds = await Promise.all(chunk.map(({ path }) => readWav(path)))
    const data = new Float32Array(chunk.length * samples)
    sounds.forEach((sound, row) => {
      rate ??= sound.sampleRate
      if (sound.sampleRate !== rate)
        throw new DataError(`${chunk[row]!.path} has another sample rate.`, {
          expected: `${rate} samples per second`,
          received: sound.sampleRate,
          remedy: `Convert it, for instance by: sox in.wav -r ${rate} out.wav`,
        })
      data.set(sound.samples.subarray(0, samples), row * samples)
    })
    yield {
      x: { data, shape: [chunk.length, samples] },
      y: { data: chunk.map((file) => file.label), shape: [chunk.length] },
      file: { data: chunk.map(({ name }) => name), shape: [chunk.length] },
    }
  }
}
