/** Columns as bytes: a header of JSON, then the values of each column. @module */

import { createTypedArray, StorageError, typedArrayName } from '../core/index.js'
import type { Columns } from './columns.js'

type ArrayName = ReturnType<typeof typedArrayName>

/** What the header says of a column. Strings are JSON. */
interface Entry {
  name: string
  kind: ArrayName | 'strings'
  shape: number[]
  sizeBytes: number
}

/** Bytes before the header: its length, little endian. */
const LENGTH_BYTES = 4

/** The bytes of columns, in the byte order of this machine. */
export function encodeColumns(columns: Columns): Uint8Array {
  const encoder = new TextEncoder()
  const parts = Object.entries(columns).map(([name, { data, shape }]) => {
    const bytes = Array.isArray(data)
      ? encoder.encode(JSON.stringify(data))
      : new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    const entry: Entry = {
      name,
      kind: Array.isArray(data) ? 'strings' : typedArrayName(data),
      shape,
      sizeBytes: bytes.length,
    }
    return { bytes, entry }
  })
  const header = encoder.encode(JSON.stringify(parts.map(({ entry }) => entry)))
  const size = parts.reduce((sum, { bytes }) => sum + bytes.length, LENGTH_BYTES + header.length)
  const encoded = new Uint8Array(size)
  new DataView(encoded.buffer).setUint32(0, header.length, true)
  encoded.set(header, LENGTH_BYTES)
  let offset = LENGTH_BYTES + header.length
  for (const { bytes } of parts) {
    encoded.set(bytes, offset)
    offset += bytes.length
  }
  return encoded
}

/** @throws {StorageError} if the bytes are not those of columns. */
export function decodeColumns(encoded: Uint8Array): Columns {
  try {
    const length = new DataView(encoded.buffer, encoded.byteOffset).getUint32(0, true)
    const decoder = new TextDecoder()
    let offset = LENGTH_BYTES + length
    const entries = JSON.parse(decoder.decode(encoded.subarray(LENGTH_BYTES, offset))) as Entry[]
    const columns: Columns = {}
    for (const { name, kind, shape, sizeBytes } of entries) {
      const bytes = encoded.subarray(offset, offset + sizeBytes)
      offset += sizeBytes
      columns[name] = { data: kind === 'strings' ? JSON.parse(decoder.decode(bytes)) : valuesOf(kind, bytes), shape }
    }
    return columns
  } catch (cause) {
    throw new StorageError('The cached rows cannot be read.', {
      cause,
      remedy: 'Let nothing else write to the store of a cache',
    })
  }
}

/** Copied: the bytes may lie at any offset. */
function valuesOf(kind: ArrayName, bytes: Uint8Array) {
  const values = createTypedArray(kind, bytes.length / createTypedArray(kind, 0).BYTES_PER_ELEMENT)
  new Uint8Array(values.buffer).set(bytes)
  return values
}
