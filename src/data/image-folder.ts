/** Pictures in a folder. @module */

import type { default as SharpFunction } from 'sharp'
import { ConfigError, DataError, withDefaults } from '../core/index.js'
import type { OnError } from './bad-rows.js'
import type { FileDataset } from './file-dataset.js'
import { folderDataset } from './folder-dataset.js'
import type { FolderOptions } from './folder-files.js'
import { loadPackage } from './optional-package.js'

/** How pictures become rows. */
export interface ImageFolderOptions extends FolderOptions {
  /** Height and width that every picture is brought to. */
  size: readonly [height: number, width: number]
  /** 1: grey; 3: red, green, blue; 4: and opacity. @default 3 */
  channels?: 1 | 3 | 4
  /** `'fill'` stretches, `'cover'` cuts what overlaps, `'contain'` adds black bars. @default 'fill' */
  fit?: 'fill' | 'cover' | 'contain'
  /** What happens at a picture that cannot be read. @default 'throw' */
  onError?: OnError
}

const EXTENSIONS = ['.jpg', '.jpeg', '.png', '.webp', '.gif', '.avif', '.tif', '.tiff']

const CHUNK_BYTES = 2 ** 24

/**
 * The pictures below a folder, streamed in the order of their names: `x` `[rows, height, width, channels]`, uint8, turned
 * upright; `y`, the class as text, which `ordinal('y')` numbers; `file`, the name. Needs the package `sharp`.
 *
 * @throws {ConfigError} for a size that is none; when it is read, without that package.
 * @throws {DataError} when it is read, naming the file, for one that is damaged.
 * @example
 * const pets = sources.imageFolder('pets', { size: [64, 64] }) // pets/cat/1.jpg, pets/dog/1.jpg, ...
 */
export function imageFolder(folder: string, options: ImageFolderOptions): FileDataset {
  const { size, channels, fit } = withDefaults('imageFolder', options, {
    size: undefined,
    channels: 3,
    fit: 'fill',
    onError: undefined,
    filter: undefined,
    label: undefined,
  })
  if (size.length !== 2 || !size.every((length) => Number.isInteger(length) && length > 0))
    throw new ConfigError('size of imageFolder is none.', { expected: '[height, width]', received: size })
  const [height, width] = size
  const pixels = height * width * channels
  return folderDataset<Uint8Array>(folder, options, async () => {
    const { default: sharp } = await loadPackage<{ default: typeof SharpFunction }>('sharp', 'sources.imageFolder')
    return {
      extensions: EXTENSIONS,
      chunkFiles: Math.max(1, Math.min(64, Math.floor(CHUNK_BYTES / pixels))),
      async read(path) {
        try {
          // rotate() without an angle follows the note of the camera.
          const image = sharp(path).rotate().resize({ width, height, fit, background: 'black' })
          const coloured = image.toColourspace(channels === 1 ? 'b-w' : 'srgb')
          const raw = (channels === 4 ? coloured.ensureAlpha() : coloured.removeAlpha()).raw({ depth: 'uchar' })
          return new Uint8Array(await raw.toBuffer())
        } catch (cause) {
          throw new DataError(`${path} is no picture that can be read: ${(cause as Error).message}`, { cause })
        }
      },
      columnsOf(images) {
        const data = new Uint8Array(images.length * pixels)
        images.forEach((image, row) => {
          data.set(image, row * pixels)
        })
        return { x: { data, shape: [images.length, height, width, channels] } }
      },
    }
  })
}
