import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import {
  Bool,
  type DataType,
  DateDay,
  Decimal,
  Dictionary,
  Field,
  FixedSizeList,
  Float32,
  Float64,
  Int32,
  Int64,
  Struct,
  Table,
  TimestampMicrosecond,
  tableToIPC,
  Utf8,
  vectorFromArray,
} from 'apache-arrow'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { DataError } from '../../../src/core/index.js'
import { sources } from '../../../src/data/node.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dcml-arrow-'))
})
afterEach(async () => {
  vi.restoreAllMocks()
  await rm(folder, { recursive: true })
})

async function file(bytes: Uint8Array): Promise<string> {
  const path = join(folder, 'a.arrow')
  await writeFile(path, bytes)
  return path
}

const tableOf = (columns: Record<string, [values: unknown[], type: DataType]>) =>
  new Table(
    Object.fromEntries(Object.entries(columns).map(([name, [values, type]]) => [name, vectorFromArray(values, type)])),
  )

const pair = new FixedSizeList(2, new Field('item', new Float32()))
const everything = () =>
  tableOf({
    float: [[1.5, null, -2], new Float32()],
    double: [[0.1, 1e300, -1], new Float64()],
    int: [[1, null, 3], new Int32()],
    long: [[2n ** 53n - 1n, -1n, 0n], new Int64()],
    flag: [[true, null, false], new Bool()],
    text: [['é', null, ''], new Utf8()],
    word: [['a', 'b', 'a'], new Dictionary(new Utf8(), new Int32())],
    day: [[new Date('2024-02-29'), null, new Date(0)], new DateDay()],
    time: [[Date.parse('2024-05-01T12:00:00.5Z'), null, 0], new TimestampMicrosecond()],
    price: [[Uint32Array.of(1250, 0, 0, 0), null, new Uint32Array(4).fill(0xffffffff)], new Decimal(2, 10)],
    vector: [
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      pair,
    ],
  })
const gap = Number.NaN
const expected = {
  float: { data: Float32Array.of(1.5, gap, -2), shape: [3] },
  double: { data: Float64Array.of(0.1, 1e300, -1), shape: [3] },
  int: { data: Float64Array.of(1, gap, 3), shape: [3] },
  long: { data: Float64Array.of(2 ** 53 - 1, -1, 0), shape: [3] },
  flag: { data: Float32Array.of(1, gap, 0), shape: [3] },
  text: { data: ['é', '', ''], shape: [3] },
  word: { data: ['a', 'b', 'a'], shape: [3] },
  day: { data: ['2024-02-29', '', '1970-01-01'], shape: [3] },
  time: { data: ['2024-05-01T12:00:00.500Z', '', '1970-01-01T00:00:00.000Z'], shape: [3] },
  price: { data: Float64Array.of(12.5, gap, -0.01), shape: [3] },
  vector: { data: Float32Array.of(1, 2, 3, 4, 5, 6), shape: [3, 2] },
}

describe('sources.arrow', () => {
  it.each([
    ['a file', () => tableToIPC(everything(), 'file')],
    ['a stream', () => tableToIPC(everything(), 'stream')],
    ['a packed file', () => gzipSync(tableToIPC(everything(), 'file'))],
  ])('reads every kind of value of %s', async (_, bytes) => {
    expect(await sources.arrow(await file(bytes())).columns()).toEqual(expected)
  })

  it.each(['lz4.feather', 'zstd.feather', 'lz4.arrows'])('reads the packed buffers of %s, of pyarrow', async (name) => {
    const rows = Array.from({ length: 10_000 }, (_, row) => row)
    const path = fileURLToPath(new URL(`../../golden/arrow/${name}`, import.meta.url))
    expect(await sources.arrow(path).columns()).toEqual({
      id: { data: Float64Array.from(rows, (row) => row % 1000), shape: [10_000] },
      value: { data: Float64Array.from(rows, (row) => (row % 100 === 7 ? gap : (row % 50) / 8)), shape: [10_000] },
      text: { data: rows.map((row) => `row ${row % 50}`), shape: [10_000] },
      word: { data: rows.map((row) => (row % 2 === 0 ? 'even' : 'odd')), shape: [10_000] },
    })
  })

  it('reads batch after batch, pass after pass, with the columns and types asked for', async () => {
    const batches = [0, 3000, 1, 2000].map((rows, i) =>
      tableOf({
        a: [Array.from({ length: rows }, (_, row) => 10_000 * i + row), new Int32()],
        unused: [new Array(rows).fill('x'), new Utf8()],
        class: [Array.from({ length: rows }, (_, row) => BigInt(row % 3)), new Int64()],
      }),
    )
    const joined = new Table(batches[0]!.schema, ...batches.map((table) => table.batches))
    const path = await file(tableToIPC(joined, 'file'))
    const table = sources.arrow(path, { columns: { a: 'float32' }, target: 'class' })
    const a = batches.flatMap((batch) => [...batch.getChild('a')!])
    for (let pass = 0; pass < 2; pass++) {
      const { x, y } = await table.columns()
      expect(x).toEqual({ data: Float32Array.from(a), shape: [5001, 1] })
      expect([...y!.data.slice(2998, 3003)]).toEqual([1, 2, 0, 0, 1])
    }
    expect((await sources.arrow(new Blob([new Uint8Array(tableToIPC(batches[2]!))])).columns()).a!.data).toEqual(
      Float64Array.of(20000),
    )
  })

  it('leaves out rows that do not fit, or names the first', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {})
    const table = tableOf({
      id: [[1n, 2n ** 60n, 3n], new Int64()],
      class: [[null, 1, 2], new Int32()],
    })
    const path = await file(tableToIPC(table))
    await expect(sources.arrow(path).columns()).rejects.toThrow(/row 1, column "id".*received "1152921504606846976"/)
    const skipping = sources.arrow(path, { columns: { id: 'float64', class: 'int32' }, onError: 'collect' })
    expect(await skipping.columns()).toEqual({
      id: { data: Float64Array.of(3), shape: [1] },
      class: { data: Int32Array.of(2), shape: [1] },
    })
    expect(skipping.badRows.rows.map(({ row, column }) => [row, column])).toEqual([
      [0, 'class'],
      [1, 'id'],
    ])
  })

  it.each<[string, () => Uint8Array, RegExp]>([
    [
      'structs',
      () => tableToIPC(tableOf({ s: [[{ a: 1 }], new Struct([new Field('a', new Int32())])] })),
      /column "s": columns cannot hold Struct/,
    ],
    ['another format', () => Buffer.from('a,b\n1,2\n3,4\n'), /a\.arrow (cannot be read as Arrow|has no rows)/],
    ['nothing', () => new Uint8Array(), /a\.arrow holds no Arrow table/],
    ['a cut file', () => tableToIPC(everything(), 'file').subarray(0, 2000), /a\.arrow/],
    ['a cut packed file', () => gzipSync(tableToIPC(everything())).subarray(0, 200), /no whole gzip file/],
  ])('says what is wrong with %s', async (_, bytes, message) => {
    const reading = sources.arrow(await file(bytes())).columns()
    await expect(reading).rejects.toThrow(message)
    await expect(reading).rejects.toThrow(DataError)
  })
})
