/** Sounds in a folder. @module */

import { ConfigError, DataError, withDefaults } from '../core/index.js'
import type { OnError } from './bad-rows.js'
import type { FileDataset } from './file-dataset.js'
import { folderDataset } from './folder-dataset.js'
import type { FolderOptions } from './folder-files.js'
import { readWav, type Sound } from './wav.js'

/** How sounds become rows. */
export interface AudioFolderOptions extends FolderOptions {
  /** Length of every row: longer sounds are cut, shorter ones filled with silence. */
  samples: number
  /** Samples per second that every file must have. @default that of the first */
  sampleRate?: number
  /** What happens at a file that cannot be read. @default 'throw' */
  onError?: OnError
}

/**
 * The WAV files below a folder, streamed in the order of their names: `x` `[rows, samples]`, float32, -1 to 1, channels
 * mixed to one; `y`, the class as text, which `ordinal('y')` numbers; `file`, the name.
 *
 * @throws {DataError} when it is read, naming the file, for one that is damaged or has another sample rate.
 * @example
 * sources.audioFolder('digits', { samples: 8000, label: (name) => name[0] })
 */
export function audioFolder(folder: string, options: AudioFolderOptions): FileDataset {
  const { samples, sampleRate } = withDefaults('audioFolder', options, {
    samples: undefined,
    sampleRate: undefined,
    onError: undefined,
    filter: undefined,
    label: undefined,
  })
  if (!Number.isInteger(samples) || samples < 1)
    throw new ConfigError('samples of audioFolder is out of range.', {
      expected: 'a whole number above 0',
      received: samples,
    })
  return folderDataset<Sound>(folder, options, () => {
    let rate = sampleRate
    return {
      extensions: ['.wav'],
      chunkFiles: 64,
      read: readWav,
      check(sound, path) {
        rate ??= sound.sampleRate
        if (sound.sampleRate === rate) return
        throw new DataError(`${path} has another sample rate.`, {
          expected: `${rate} samples per second`,
          received: sound.sampleRate,
          remedy: `Convert it, for instance by: sox in.wav -r ${rate} out.wav`,
        })
      },
      columnsOf(sounds) {
        const data = new Float32Array(sounds.length * samples)
        sounds.forEach((sound, row) => {
          data.set(sound.samples.subarray(0, samples), row * samples)
        })
        return { x: { data, shape: [sounds.length, samples] } }
      },
    }
  })
}
