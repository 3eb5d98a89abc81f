/**
 * Arrow files and streams, record batch after record batch.
 *
 * @see https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc
 * @module
 */

import type { FileHandle } from 'node:fs/promises'
import type { DataType, RecordBatch, RecordBatchReader, Vector } from 'apache-arrow'
import { DataError, DcmlError, withDefaults } from '../core/index.js'
import { registerCodecs } from './arrow-codecs.js'
import type { BadRowPass } from './bad-rows.js'
import { type ByteSource, type RandomBytes, unpacked } from './byte-source.js'
import type { Columns } from './columns.js'
import { type FileDataset, fileDataset } from './file-dataset.js'
import { loadPackage } from './optional-package.js'
import { CHUNK_ROWS } from './stream.js'
import { type ColumnForm, chooseFields, columnsOfTable, type TableOptions, tableDefaults } from './table.js'

type Arrow = typeof import('apache-arrow')

/** The dataset of an Arrow file or stream. */
export function arrowDataset(source: ByteSource, options: TableOptions = {}): FileDataset {
  const chosen = withDefaults('arrow', options, tableDefaults)
  return fileDataset(source.name, chosen.onError, (pass) => readChunks(source, chosen, pass))
}

async function* readChunks(source: ByteSource, options: TableOptions, pass: BadRowPass): AsyncGenerator<Columns> {
  const arrow = await loadPackage<Arrow>('apache-arrow', 'sources.arrow')
  await registerCodecs(arrow)
  let opened: Opened | undefined
  try {
    opened = await openReader(arrow, source)
    const { reader } = opened
    const { schema } = await reader.open()
    if (!schema) throw new DataError(`${source.name} holds no Arrow table.`)
    const fields = chooseFields(
      source.name,
      schema.fields.map(({ name }) => name),
      options,
      (place, isTarget) => formOf(arrow, source.name, schema.fields[place]!, isTarget),
    )
    let start = 0
    for await (const batch of reader as AsyncIterable<RecordBatch>) {
      for (let row = 0; row < batch.numRows; row += CHUNK_ROWS) {
        const rows = Math.min(CHUNK_ROWS, batch.numRows - row)
        const first = start + row
        const valuesOf = ({ place }: { place: number }) =>
          valuesOfVector(arrow, batch.getChildAt(place)!.slice(row, row + rows))
        yield columnsOfTable(fields, rows, valuesOf, options, { pass, placeOf: (i) => ({ row: first + i }) })
      }
      start += batch.numRows
    }
  } catch (cause) {
    if (cause instanceof DcmlError) throw cause
    throw new DataError(`${source.name} cannot be read as Arrow: ${(cause as Error).message}`, { cause })
  } finally {
    await opened?.close()
  }
}

const MAGIC = 'ARROW1'

/** What holds bytes while it is read. */
interface Opened {
  reader: RecordBatchReader
  close(): Promise<unknown>
}

/** A file is read by the index at its end, batch by batch; a stream as it comes; a packed file must be whole in memory. */
async function openReader({ RecordBatchReader }: Arrow, source: ByteSource): Promise<Opened> {
  const file = await source.random()
  try {
    const start = new Uint8Array(await file.slice(0, MAGIC.length))
    if (String.fromCharCode(...start) === MAGIC)
      return { reader: await RecordBatchReader.from(handleOf(file)), close: () => file.close() }
  } catch (error) {
    await file.close()
    throw error
  }
  await file.close()
  const bytes = unpacked(source)
  return { reader: await RecordBatchReader.from(bytes), close: () => bytes.return(undefined) }
}

/** The form in which the package takes access by place. */
function handleOf(file: RandomBytes): FileHandle {
  const handle = {
    fd: -1,
    stat: async () => ({ size: file.byteLength }),
    async read(buffer: Uint8Array, offset: number, length: number, position: number) {
      buffer.set(new Uint8Array(await file.slice(position, position + length)), offset)
      return { bytesRead: length, buffer }
    },
    close: async () => {},
  }
  return handle as unknown as FileHandle
}

/** The values of a column as `columnsOfTable` takes them. */
function valuesOfVector({ DataType, Type }: Arrow, vector: Vector): ArrayLike<unknown> {
  const { type } = vector
  const isPlain = (DataType.isFloat(type) && type.typeId !== Type.Float16) || DataType.isInt(type)
  if (isPlain && vector.nullCount === 0) return vector.toArray()
  const values = Array.from(vector as Iterable<unknown>)
  if (DataType.isDate(type) || DataType.isTimestamp(type))
    return values.map((value) => (value === null ? null : new Date(Number(value))))
  if (DataType.isDecimal(type)) {
    const { scale } = type
    return values.map((value) => (value === null ? null : numberOfDecimal(value as Uint32Array, scale)))
  }
  if (DataType.isList(type) || DataType.isFixedSizeList(type))
    return values.map((value) => (value === null ? null : Array.from(value as Iterable<unknown>)))
  return values
}

/** Words of 32 bits, the lowest first, in two's complement. */
function numberOfDecimal(words: Uint32Array, scale: number): number {
  const unsigned = words.reduceRight((sum, word) => (sum << 32n) | BigInt(word), 0n)
  return Number(BigInt.asIntN(32 * words.length, unsigned)) / 10 ** scale
}

function formOf(
  arrow: Arrow,
  file: string,
  { name, type }: { name: string; type: DataType },
  isTarget: boolean,
): ColumnForm {
  const { DataType, Precision } = arrow
  if (DataType.isList(type) || DataType.isFixedSizeList(type)) {
    const item = type.children[0]!
    if (DataType.isList(item.type) || DataType.isFixedSizeList(item.type)) refuse(file, name, type)
    return { ...formOf(arrow, file, { name, type: item.type }, false), size: 'first' }
  }
  if (DataType.isDictionary(type)) return formOf(arrow, file, { name, type: type.dictionary }, isTarget)
  if (DataType.isBool(type) || DataType.isNull(type)) return { type: 'float32' }
  if (DataType.isFloat(type)) return { type: type.precision === Precision.DOUBLE ? 'float64' : 'float32' }
  if (DataType.isInt(type)) return { type: isTarget ? 'int32' : 'float64' }
  if (DataType.isDecimal(type) || DataType.isTime(type)) return { type: 'float64' }
  if (DataType.isDate(type)) return { type: 'string', isDay: true }
  if (DataType.isTimestamp(type) || DataType.isUtf8(type) || DataType.isLargeUtf8(type)) return { type: 'string' }
  return refuse(file, name, type)
}

function refuse(file: string, name: string, type: DataType): never {
  throw new DataError(`${file}, column "${name}": columns cannot hold ${type}.`, {
    expected: 'numbers, texts, dates, or lists of numbers of one length',
    remedy: 'Name the columns to read without it',
  })
}
