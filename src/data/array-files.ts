/** Arrays in files: a header, then the values row after row, streamed. The formats are in npy.ts and idx.ts. @module */

import { createTypedArray, DataError, rowSize, type TypedArray, type TypedArrayName } from '../core/index.js'
import { ByteReader } from './byte-reader.js'
import type { ByteSource, FileLike, OpenSource } from './byte-source.js'
import type { Columns } from './columns.js'
import { Dataset } from './dataset.js'
import { CHUNK_ROWS } from './stream.js'

/** A file, which becomes the column `x`, or one file per column by the column's name. */
export type ArrayFiles = FileLike | Readonly<Record<string, FileLike>>

/** What the header of a file says. */
export interface ArrayHeader {
  /** `'Int64'` is read as Int32Array, the widest integers of a column, as long as the values fit. */
  kind: TypedArrayName | 'Int64'
  littleEndian: boolean
  /** `[rows, ...]` */
  shape: number[]
}

/** Reads a header up to the first value. */
export type ReadHeader = (reader: ByteReader) => Promise<ArrayHeader>

const CHUNK_BYTES = 2 ** 24

interface ArrayFile extends ArrayHeader {
  name: string
  reader: ByteReader
  rowBytes: number
}

/** The dataset of the arrays in one or several files of a format, which are read side by side. */
export function arrayDataset(files: ArrayFiles, open: OpenSource, readHeader: ReadHeader): Dataset {
  const isOne = typeof files === 'string' || files instanceof URL || files instanceof Blob
  const sources = Object.entries(isOne ? { x: files } : files).map(([name, file]) => [name, open(file)] as const)
  return Dataset.fromBatches(() => readChunks(sources, readHeader))
}

async function* readChunks(
  sources: readonly (readonly [name: string, source: ByteSource])[],
  readHeader: ReadHeader,
): AsyncGenerator<Columns> {
  const opened: ArrayFile[] = []
  try {
    for (const [name, source] of sources) opened.push(await openArray(name, source, readHeader))
    const [first] = opened
    if (!first) throw new DataError('No file was named.', { expected: "a path, or { x: 'x.npy', y: 'y.npy' }" })
    const rows = first.shape[0]!
    for (const { reader, shape } of opened)
      if (shape[0] !== rows)
        throw new DataError(`${reader.name} and ${first.reader.name} have unequal numbers of rows.`, {
          expected: rows,
          received: shape[0],
        })
    const widest = Math.max(...opened.map(({ rowBytes }) => rowBytes))
    const step = Math.min(CHUNK_ROWS, Math.max(1, Math.floor(CHUNK_BYTES / widest)))
    for (let row = 0; row < rows; row += step) {
      const columns: Columns = {}
      for (const file of opened) columns[file.name] = await readRows(file, row, Math.min(step, rows - row))
      yield columns
    }
    for (const { reader } of opened) await reader.expectEnd()
  } finally {
    for (const { reader } of opened) await reader.close()
  }
}

async function openArray(name: string, source: ByteSource, readHeader: ReadHeader): Promise<ArrayFile> {
  const reader = new ByteReader(source)
  try {
    const header = await readHeader(reader)
    if (header.shape.length === 0)
      throw new DataError(`${source.name} holds a single number, and a column needs rows.`, { expected: '[rows, ...]' })
    return { ...header, name, reader, rowBytes: rowSize(header.shape) * sizeOfKind(header.kind) }
  } catch (error) {
    await reader.close()
    throw error
  }
}

async function readRows({ reader, kind, littleEndian, shape, rowBytes }: ArrayFile, row: number, count: number) {
  const start = reader.offset
  const bytes = await reader.take(rowBytes * count, start + rowBytes * (shape[0]! - row))
  if (!littleEndian) reverseEach(bytes, sizeOfKind(kind))
  const length = rowSize(shape) * count
  const data =
    kind === 'Int64' ? narrowed(bytes, reader.name, start) : createTypedArray(kind, length, bytes.buffer as ArrayBuffer)
  return { data, shape: [count, ...shape.slice(1)] }
}

function narrowed(bytes: Uint8Array, file: string, start: number): TypedArray {
  const wide = new BigInt64Array(bytes.buffer as ArrayBuffer)
  const data = new Int32Array(wide.length)
  for (let i = 0; i < wide.length; i++) {
    data[i] = Number(wide[i])
    if (BigInt(data[i]!) !== wide[i])
      throw new DataError(`${file}, byte ${start + 8 * i}: the whole number does not fit into 32 bits.`, {
        received: String(wide[i]),
        remedy: "Save the array as floats: array.astype('float32')",
      })
  }
  return data
}

const sizeOfKind = (kind: ArrayHeader['kind']) => (kind === 'Int64' ? 8 : createTypedArray(kind, 0).BYTES_PER_ELEMENT)

function reverseEach(bytes: Uint8Array, size: number): void {
  if (size > 1) for (let i = 0; i < bytes.length; i += size) bytes.subarray(i, i + size).reverse()
}
