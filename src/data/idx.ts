/** The idx format of MNIST. @module */

import { DataError, type TypedArrayName } from '../core/index.js'
import type { ReadHeader } from './array-files.js'

const kinds: Readonly<Record<number, TypedArrayName>> = {
  8: 'Uint8Array',
  9: 'Int8Array',
  11: 'Int16Array',
  12: 'Int32Array',
  13: 'Float32Array',
  14: 'Float64Array',
}

/** Reads the header of an idx file: two zero bytes, the type, the number of axes, each axis as a big-endian uint32. */
export const readIdxHeader: ReadHeader = async (reader) => {
  const start = await reader.take(4)
  const [, , type, axes] = start
  const kind = start[0] === 0 && start[1] === 0 ? kinds[type!] : undefined
  if (!kind)
    throw new DataError(`${reader.name}, byte 0: this is no idx file.`, {
      expected: 'it to begin with 00 00 and a type from 08 to 0e',
      received: [...start.subarray(0, 3)].map((byte) => byte.toString(16).padStart(2, '0')).join(' '),
    })
  const lengths = new DataView((await reader.take(4 * axes!)).buffer)
  return { kind, littleEndian: false, shape: Array.from({ length: axes! }, (_, axis) => lengths.getUint32(4 * axis)) }
}
