/**
 * Plain data as one message: JSON, and behind it the bytes of the typed arrays in it.
 *
 * Numbers that JSON does not know (NaN, infinities) keep their value.
 * @module
 */

import { createTypedArray, isTypedArray, TransportError, type TypedArrayName, typedArrayName } from '../core/index.js'

/** Keys that stand for what JSON cannot hold; no data of dcml has them. */
const ARRAY = '$array'
const NUMBER = '$number'

/** Packs plain data: objects, arrays, texts, numbers, typed arrays. Fields that are undefined are left out. */
export function pack(value: unknown): Uint8Array {
  const arrays: Uint8Array[] = []
  let at = 0
  const text = JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === 'number' && !Number.isFinite(part)) return { [NUMBER]: String(part) }
    if (!isTypedArray(part)) return part
    const place = { [ARRAY]: typedArrayName(part), at, length: part.length }
    arrays.push(new Uint8Array(part.buffer, part.byteOffset, part.byteLength))
    at += align(part.byteLength)
    return place
  })
  const header = new TextEncoder().encode(text)
  const start = align(4 + header.length)
  const message = new Uint8Array(start + at)
  new DataView(message.buffer).setUint32(0, header.length, true)
  message.set(header, 4)
  let offset = start
  for (const bytes of arrays) {
    message.set(bytes, offset)
    offset += align(bytes.length)
  }
  return message
}

/**
 * Unpacks what `pack` made. Arrays are views of the message.
 *
 * @throws {TransportError} if the bytes are no such message.
 */
export function unpack(message: Uint8Array): unknown {
  // Arrays of 8-byte elements need a start that is a multiple of 8.
  const bytes = message.byteOffset % 8 === 0 ? message : message.slice()
  try {
    const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true)
    const start = bytes.byteOffset + align(4 + length)
    const text = new TextDecoder().decode(bytes.subarray(4, 4 + length))
    return JSON.parse(text, (_key, part: Record<string, unknown> | null) => {
      if (typeof part !== 'object' || part === null) return part
      if (NUMBER in part) return Number(part[NUMBER])
      if (!(ARRAY in part)) return part
      return createTypedArray(
        part[ARRAY] as TypedArrayName,
        part.length as number,
        bytes.buffer,
        start + (part.at as number),
      )
    })
  } catch (cause) {
    throw new TransportError('A message cannot be read.', { remedy: 'Run the same version of dcml everywhere', cause })
  }
}

const align = (bytes: number) => Math.ceil(bytes / 8) * 8
