/** The idx format of MNIST. @module */

import { DataError, type TypedArrayName } from '../core/index.js'
import { type ArrayFiles, type ArrayHeader, arrayDataset } from './array-files.js'
import type { ByteReader } from './byte-reader.js'
import type { Dataset } from './dataset.js'

const kinds: Readonly<Record<number, TypedArrayName>> = {
  8: 'Uint8Array',
  9: 'Int8Array',
  11: 'Int16Array',
  12: 'Int32Array',
  13: 'Float32Array',
  14: 'Float64Array',
}

/**
 * Arrays in idx files, `[rows, ...]`, gzipped or not, streamed.
 *
 * @param files - A file, for the column `x`, or one per column.
 * @throws {DataError} when it is read, with file and byte, if a file is cut off or no idx file.
 * @example
 * const train = sources.idx({ x: 'train-images-idx3-ubyte.gz', y: 'train-labels-idx1-ubyte.gz' })
 */
export function idx(files: ArrayFiles): Dataset {
  return arrayDataset(files, readHeader)
}

/** Two zero bytes, the type, the number of axes, each axis as a big-endian uint32. */
async function readHeader(reader: ByteReader): Promise<ArrayHeader> {
  const start = await reader.take(4)
  const [, , type, axes] = start
  const kind = start[0] === 0 && start[1] === 0 ? kinds[type!] : undefined
  if (!kind)
    throw new DataError(`${reader.path}, byte 0: this is no idx file.`, {
      expected: 'it to begin with 00 00 and a type from 08 to 0e',
      received: [...start.subarray(0, 3)].map((byte) => byte.toString(16).padStart(2, '0')).join(' '),
    })
  const lengths = new DataView((await reader.take(4 * axes!)).buffer)
  return { kind, littleEndian: false, shape: Array.from({ length: axes! }, (_, axis) => lengths.getUint32(4 * axis)) }
}
