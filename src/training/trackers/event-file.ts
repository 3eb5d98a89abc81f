/**
 * Records of TensorBoard's event files.
 *
 * A record is its length, a checksum of that, its bytes, and a checksum of those. The bytes are a protocol buffer: an
 * `Event` of wall time and step, and either the version of the format or a summary of scalars.
 *
 * @see https://github.com/tensorflow/tensorflow/blob/v2.16.1/tensorflow/core/util/event.proto
 * @see https://github.com/tensorflow/tensorflow/blob/v2.16.1/tensorflow/core/lib/io/record_writer.h
 * @module
 */

import { maskedCrc32c } from './crc32c.js'

/** The first record of a file. @param seconds - Since 1970. */
export const versionRecord = (seconds: number): Uint8Array =>
  record(concat(doubleField(1, seconds), bytesField(3, utf8('brain.Event:2'))))

/** Scalars at one step. @param seconds - Since 1970. */
export function scalarRecord(seconds: number, step: number, values: Readonly<Record<string, number>>): Uint8Array {
  const entries = Object.entries(values).map(([tag, value]) =>
    bytesField(1, concat(bytesField(1, utf8(tag)), floatField(2, value))),
  )
  return record(concat(doubleField(1, seconds), varintField(2, step), bytesField(5, concat(...entries))))
}

function record(data: Uint8Array): Uint8Array {
  const length = new Uint8Array(8)
  new DataView(length.buffer).setBigUint64(0, BigInt(data.length), true)
  return concat(length, uint32(maskedCrc32c(length)), data, uint32(maskedCrc32c(data)))
}

const VARINT = 0
const FIXED64 = 1
const LENGTH = 2
const FIXED32 = 5

const tagOf = (field: number, type: number) => varint((field << 3) | type)

const varintField = (field: number, value: number) => concat(tagOf(field, VARINT), varint(value))

const bytesField = (field: number, bytes: Uint8Array) => concat(tagOf(field, LENGTH), varint(bytes.length), bytes)

function doubleField(field: number, value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setFloat64(0, value, true)
  return concat(tagOf(field, FIXED64), bytes)
}

function floatField(field: number, value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setFloat32(0, value, true)
  return concat(tagOf(field, FIXED32), bytes)
}

/** Seven bits a byte, the lowest first. @param value - A whole number of at least 0, up to 2^53. */
function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  bytes.push(rest)
  return Uint8Array.from(bytes)
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return bytes
}

const utf8 = (text: string) => new TextEncoder().encode(text)

function concat(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}
