/** MNIST from its original files. @module */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DataError, withDefaults } from '../core/index.js'
import { arrayDataset } from './array-files.js'
import { Dataset } from './dataset.js'
import { fileSource } from './file-source.js'
import { readIdxHeader } from './idx.js'

/** Which half of MNIST. */
export type MnistSplit = 'train' | 'test'

/** The files of each half, without the ending `.gz`. */
const MNIST_FILES = {
  train: { images: 'train-images-idx3-ubyte', labels: 'train-labels-idx1-ubyte' },
  test: { images: 't10k-images-idx3-ubyte', labels: 't10k-labels-idx1-ubyte' },
} as const

/** The folder that holds the four files: `dir` itself or its subfolder `mnist`. */
export function mnistFolder(dir: string): string | undefined {
  const complete = (folder: string) =>
    Object.values(MNIST_FILES).every(({ images, labels }) =>
      [images, labels].every((file) => existsSync(join(folder, `${file}.gz`)) || existsSync(join(folder, file))),
    )
  return [dir, join(dir, 'mnist')].find(complete)
}

/**
 * Reads MNIST: 60,000 training or 10,000 test images.
 *
 * @param options - `dir`: the folder of the idx files (or the one above it, when it is called `mnist`), gzipped or
 *   not; default: the variable DCML_DATA_DIR.
 * @returns `x`: uint8 pixels 0..255, `[n, 28, 28, 1]`; `y`: int32 class, `[n]`.
 * @throws {DataError} if a file is missing, truncated, or not what it should be.
 */
export async function mnist(options: { dir?: string; split: MnistSplit }): Promise<Dataset> {
  const { dir, split } = withDefaults('mnist', options, { dir: undefined, split: undefined })
  const root = dir ?? process.env.DCML_DATA_DIR
  if (root === undefined)
    throw new DataError('No folder was named for MNIST.', { remedy: 'Pass dir, or set DCML_DATA_DIR' })
  const folder = mnistFolder(root)
  if (!folder)
    throw new DataError(`MNIST is not in ${root}.`, {
      expected: `${Object.values(MNIST_FILES)
        .flatMap((files) => Object.values(files))
        .map((file) => `${file}.gz`)
        .join(', ')}, there or in its subfolder mnist`,
    })
  const { images, labels } = MNIST_FILES[split]
  const x = await readFileOf(folder, images)
  const y = await readFileOf(folder, labels)
  if (!(x.data instanceof Uint8Array) || x.shape.length !== 3 || x.shape[1] !== 28 || x.shape[2] !== 28)
    throw new DataError(`${x.file} does not hold images of 28 x 28 bytes.`, { received: JSON.stringify(x.shape) })
  if (y.shape.length !== 1 || y.shape[0] !== x.shape[0])
    throw new DataError(`${y.file} does not hold one label for each image.`, {
      expected: x.shape[0],
      received: JSON.stringify(y.shape),
    })
  return Dataset.fromArrays({
    x: { data: x.data, shape: [...x.shape, 1] },
    y: { data: Int32Array.from(y.data as Uint8Array), shape: y.shape },
  })
}

async function readFileOf(folder: string, name: string) {
  const gzipped = join(folder, `${name}.gz`)
  const file = existsSync(gzipped) ? gzipped : join(folder, name)
  const { x } = await arrayDataset(file, fileSource, readIdxHeader).columns()
  return { file, ...x! }
}
