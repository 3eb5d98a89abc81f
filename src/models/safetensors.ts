/**
 * The safetensors format: a JSON header, then raw values. Read by the packages of that name in other languages.
 *
 * @see https://huggingface.co/docs/safetensors
 * @module
 */

import { createTypedArray, StorageError, sizeOf, type TypedArray, typedArrayName } from '../core/index.js'

/** Tensors by name. */
export type TensorFile = Record<string, { data: TypedArray; shape: number[] }>

const dtypes = {
  Float32Array: 'F32',
  Float64Array: 'F64',
  Int32Array: 'I32',
  Uint8Array: 'U8',
  Int8Array: 'I8',
} as const

/** Writes tensors and text metadata as one file. */
export function encodeSafetensors(tensors: TensorFile, metadata: Record<string, string> = {}): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: metadata }
  let at = 0
  for (const [name, { data, shape }] of Object.entries(tensors)) {
    const dtype = dtypes[typedArrayName(data) as keyof typeof dtypes]
    if (!dtype)
      throw new StorageError(`The tensor '${name}' has a type that safetensors files of dcml do not hold.`, {
        expected: Object.keys(dtypes).join(', '),
        received: typedArrayName(data),
      })
    header[name] = { dtype, shape, data_offsets: [at, at + data.byteLength] }
    at += data.byteLength
  }
  const text = new TextEncoder().encode(JSON.stringify(header))
  // Spaces bring the values to a multiple of 8 bytes.
  const headerBytes = Math.ceil(text.length / 8) * 8
  const file = new Uint8Array(8 + headerBytes + at).fill(0x20, 8, 8 + headerBytes)
  new DataView(file.buffer).setBigUint64(0, BigInt(headerBytes), true)
  file.set(text, 8)
  let offset = 8 + headerBytes
  for (const { data } of Object.values(tensors)) {
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset)
    offset += data.byteLength
  }
  return file
}

/** Reads a file back. The arrays are copies. */
export function decodeSafetensors(file: Uint8Array): { tensors: TensorFile; metadata: Record<string, string> } {
  const header = readHeader(file)
  const { __metadata__: metadata = {}, ...entries } = header.json as {
    __metadata__?: Record<string, string>
    [name: string]: unknown
  }
  const tensors: TensorFile = {}
  for (const [name, entry] of Object.entries(entries)) {
    const { dtype, shape, data_offsets: offsets } = entry as { dtype: string; shape: number[]; data_offsets: number[] }
    const arrayName = (Object.keys(dtypes) as (keyof typeof dtypes)[]).find((key) => dtypes[key] === dtype)
    if (!arrayName)
      throw new StorageError(`The tensor '${name}' has a type that dcml does not read.`, { received: dtype })
    const bytes = file.slice(header.end + offsets[0]!, header.end + offsets[1]!)
    const elements = sizeOf(shape)
    const size = createTypedArray(arrayName, 0).BYTES_PER_ELEMENT
    if (bytes.length !== elements * size) throw damaged(`${elements * size} bytes for '${name}'`, `${bytes.length}`)
    tensors[name] = { data: createTypedArray(arrayName, elements, bytes.buffer), shape }
  }
  return { tensors, metadata }
}

function readHeader(file: Uint8Array): { json: object; end: number } {
  if (file.length < 8) throw damaged('at least 8 bytes', `${file.length}`)
  const length = Number(new DataView(file.buffer, file.byteOffset, file.byteLength).getBigUint64(0, true))
  if (8 + length > file.length) throw damaged(`a header of ${length} bytes`, `${file.length - 8} bytes in all`)
  try {
    return { json: JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length))) as object, end: 8 + length }
  } catch (cause) {
    throw new StorageError('The safetensors file has no readable header.', { cause })
  }
}

function damaged(expected: string, received: string): StorageError {
  return new StorageError('The safetensors file is truncated or damaged.', { expected, received })
}
