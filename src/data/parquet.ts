/**
 * Parquet files, row group after row group, only the columns asked for.
 *
 * @see https://parquet.apache.org/docs/file-format/
 * @module
 */

import type { Compressors, FileMetaData, ParquetParsers, SchemaTree } from 'hyparquet'
import { DataError, DcmlError, withDefaults } from '../core/index.js'
import type { BadRowPass } from './bad-rows.js'
import type { ByteSource, RandomBytes } from './byte-source.js'
import type { Columns } from './columns.js'
import { type FileDataset, fileDataset } from './file-dataset.js'
import { CHUNK_ROWS } from './stream.js'
import { type ColumnForm, chooseFields, columnsOfTable, type Field, type TableOptions, tableDefaults } from './table.js'

/** Bytes of the marks at both ends, and of the length of the index. */
const SHORTEST = 12

/** The dataset of a Parquet file. */
export function parquetDataset(source: ByteSource, options: TableOptions = {}): FileDataset {
  const chosen = withDefaults('parquet', options, tableDefaults)
  return fileDataset(source.name, chosen.onError, (pass) => readChunks(source, chosen, pass))
}

async function* readChunks(source: ByteSource, options: TableOptions, pass: BadRowPass): AsyncGenerator<Columns> {
  let file: RandomBytes | undefined
  try {
    const [{ parquetMetadataAsync, parquetSchema }, { compressors }] = await Promise.all([
      import('hyparquet'),
      import('hyparquet-compressors'),
    ])
    file = await source.random()
    if (file.byteLength < SHORTEST)
      throw new DataError(`${source.name} is no Parquet file: it has ${file.byteLength} bytes.`)
    const metadata = await parquetMetadataAsync(file)
    const { children } = parquetSchema(metadata)
    const fields = chooseFields(
      source.name,
      children.map(({ element }) => element.name),
      options,
      (place, isTarget) => formOf(source.name, children[place]!, isTarget),
    )
    let start = 0
    for (const { num_rows } of metadata.row_groups) {
      const end = start + Number(num_rows)
      const values = await readGroup({ file, metadata, compressors }, fields, start, end)
      for (let row = start; row < end; row += CHUNK_ROWS) {
        const [from, to] = [row - start, Math.min(end, row + CHUNK_ROWS) - start]
        yield columnsOfTable(fields, to - from, ({ name }) => values.get(name)!.slice(from, to), options, {
          pass,
          placeOf: (i) => ({ row: row + i }),
        })
      }
      start = end
    }
  } catch (cause) {
    if (cause instanceof DcmlError) throw cause
    throw new DataError(`${source.name} cannot be read as Parquet: ${(cause as Error).message}`, { cause })
  } finally {
    await file?.close()
  }
}

type Values = unknown[]

/** The values of the fields in the rows of one row group. */
async function readGroup(
  source: { file: RandomBytes; metadata: FileMetaData; compressors: Compressors },
  fields: readonly Field[],
  rowStart: number,
  rowEnd: number,
): Promise<Map<string, Values>> {
  const { parquetRead } = await import('hyparquet')
  const values = new Map<string, Values>(fields.map(({ name }) => [name, new Array(rowEnd - rowStart)]))
  await parquetRead({
    ...source,
    rowStart,
    rowEnd,
    columns: fields.map(({ name }) => name),
    parsers,
    geoparquet: false,
    onChunk({ columnName, columnData, rowStart: first }) {
      const into = values.get(columnName)!
      for (let i = 0; i < columnData.length; i++) into[first - rowStart + i] = columnData[i]
    },
  })
  return values
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

const parsers: Partial<ParquetParsers> = {
  // What is no text stays bytes, which no column takes: the row is bad, not the file.
  stringFromBytes(bytes) {
    try {
      return bytes && utf8.decode(bytes)
    } catch {
      return bytes
    }
  },
  jsonFromBytes: (bytes) => bytes && utf8.decode(bytes),
}

/** How a column of the schema is read. */
function formOf(file: string, tree: SchemaTree, isTarget: boolean): ColumnForm {
  const item = itemOfList(tree)
  if (item) return { ...formOf(file, item, false), size: 'first' }
  const { name, type, converted_type, logical_type, repetition_type } = tree.element
  const kind = logical_type?.type ?? converted_type
  if (tree.children.length > 0 || repetition_type === 'REPEATED' || !type) return refuse(file, tree, 'a nested group')
  switch (kind) {
    case 'DECIMAL':
      return { type: 'float64' }
    case 'FLOAT16':
      return { type: 'float32' }
    case 'DATE':
      return { type: 'string', isDay: true }
    case 'TIMESTAMP':
    case 'TIMESTAMP_MILLIS':
    case 'TIMESTAMP_MICROS':
    case 'STRING':
    case 'UTF8':
    case 'ENUM':
    case 'JSON':
    case 'UUID':
      return { type: 'string' }
    case 'BSON':
    case 'INTERVAL':
    case 'VARIANT':
    case 'GEOMETRY':
    case 'GEOGRAPHY':
      return refuse(file, tree, kind)
  }
  switch (type) {
    case 'BOOLEAN':
    case 'FLOAT':
      return { type: 'float32' }
    case 'DOUBLE':
      return { type: 'float64' }
    case 'INT32':
    case 'INT64':
      return { type: isTarget ? 'int32' : 'float64' }
    case 'INT96':
    case 'BYTE_ARRAY':
      return { type: 'string' }
    case 'FIXED_LEN_BYTE_ARRAY':
      return refuse(file, tree, `bytes, in ${name}`)
    default:
      return type satisfies never
  }
}

/** The items of a list of three levels, as the format has it. */
function itemOfList({ element, children }: SchemaTree): SchemaTree | undefined {
  const isList = element.converted_type === 'LIST' || element.logical_type?.type === 'LIST'
  const [repeated] = children
  return isList && repeated?.element.repetition_type === 'REPEATED' && repeated.children.length === 1
    ? repeated.children[0]
    : undefined
}

function refuse(file: string, { element }: SchemaTree, what: string): never {
  throw new DataError(`${file}, column "${element.name}": columns cannot hold ${what}.`, {
    expected: 'numbers, texts, dates, or lists of numbers of one length',
    remedy: 'Name the columns to read without it, or take it apart by sources.sql',
  })
}
