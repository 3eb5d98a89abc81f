/** Finds MNIST, or draws digits where there is none. @module */

import { type Dataset, datasets } from '../../index.js'
import { findMnist, sources } from '../../node.js'

/** Images of pixels 0..255, `x: [n, 28, 28, 1]`, and their classes. */
export interface Digits {
  name: 'mnist' | 'synthetic'
  train: Dataset
  test: Dataset
}

/**
 * MNIST from the folder named, from DCML_DATA_DIR, from the user's cache or from a mirror; else drawn digits.
 *
 * @throws {DataError} if a folder is named and MNIST is not in it, or a file is damaged.
 */
export async function loadDigits(dir: string | undefined): Promise<Digits> {
  const { dir: found, tried } = await findMnist({ ...(dir === undefined ? {} : { dir }) })
  if (found !== undefined) {
    const [train, test] = await Promise.all([
      sources.mnist({ dir: found, split: 'train' }),
      sources.mnist({ dir: found, split: 'test' }),
    ])
    return { name: 'mnist', train, test }
  }
  console.log(`MNIST was not found; training on drawn digits. Tried:\n  ${tried.join('\n  ')}\n`)
  return {
    name: 'synthetic',
    train: datasets.syntheticDigits({ count: 20_000, seed: 1 }),
    test: datasets.syntheticDigits({ count: 4_000, seed: 2 }),
  }
}
