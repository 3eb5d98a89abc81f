/** The idx format of MNIST. @module */

import { gunzipSync } from 'node:zlib'
import { DataError, sizeOf } from '../core/index.js'

const UNSIGNED_BYTES = 0x08

/**
 * Reads an idx file of unsigned bytes, gzipped or not.
 *
 * Layout: two zero bytes, the type, the number of axes, each axis as a big-endian uint32, the values.
 *
 * @param file - Name for error messages.
 */
export function readIdx(bytes: Uint8Array, file: string): { data: Uint8Array; shape: number[] } {
  const plain = bytes[0] === 0x1f && bytes[1] === 0x8b ? unzip(bytes, file) : bytes
  const view = new DataView(plain.buffer, plain.byteOffset, plain.byteLength)
  if (plain.length < 4 || view.getUint16(0) !== 0 || plain[2] !== UNSIGNED_BYTES)
    throw new DataError(`${file} is not an idx file of bytes.`, {
      expected: 'it to begin with 00 00 08',
      received: [...plain.subarray(0, 3)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ') || 'nothing',
    })
  const axes = plain[3]!
  const start = 4 + 4 * axes
  if (plain.length < start) throw truncated(file, start, plain.length)
  const shape = Array.from({ length: axes }, (_, axis) => view.getUint32(4 + 4 * axis))
  const expected = start + sizeOf(shape)
  if (plain.length !== expected) throw truncated(file, expected, plain.length)
  // A plain Uint8Array: Buffer is a class of its own, which columns do not take.
  return { data: new Uint8Array(plain.buffer, plain.byteOffset + start, expected - start), shape }
}

function unzip(bytes: Uint8Array, file: string): Uint8Array {
  try {
    return gunzipSync(bytes)
  } catch (cause) {
    throw new DataError(`${file} cannot be unpacked; it is truncated or damaged.`, {
      cause,
      remedy: 'Fetch it again',
    })
  }
}

function truncated(file: string, expected: number, received: number): DataError {
  return new DataError(`${file} has the wrong length.`, {
    expected: `${expected} bytes`,
    received: `${received} bytes`,
    remedy: 'Fetch it again',
  })
}
