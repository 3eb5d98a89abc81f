import { mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ConfigError, DataError } from '../../../src/core/index.js'
import { type Columns, Dataset, sources as webSources } from '../../../src/data/index.js'
import { sources, type TableFormat, writeTable } from '../../../src/data/node.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dcml-parquet-'))
})
afterEach(async () => {
  vi.restoreAllMocks()
  await rm(folder, { recursive: true })
})

async function file(columnData: ColumnSource[], options: object = {}): Promise<string> {
  const path = join(folder, 'a.parquet')
  await writeFile(path, new Uint8Array(parquetWriteBuffer({ columnData, ...options })))
  return path
}

describe('sources.parquet', () => {
  it('reads every kind of value', async () => {
    const path = await file([
      { name: 'float', data: [1.5, null, -2], type: 'FLOAT' },
      { name: 'double', data: [0.1, 1e300, null], type: 'DOUBLE' },
      { name: 'int', data: [1, 2, 2 ** 31 - 1], type: 'INT32' },
      { name: 'long', data: [2n ** 53n - 1n, -1n, null], type: 'INT64' },
      { name: 'flag', data: [true, false, null], type: 'BOOLEAN' },
      { name: 'text', data: ['é', '', null], type: 'STRING' },
      { name: 'time', data: [new Date('2024-05-01T12:00:00.5Z'), null, new Date(0)], type: 'TIMESTAMP' },
      { name: 'json', data: [{ a: 1 }, [2], null], type: 'JSON' },
    ])
    const gap = Number.NaN
    expect(await sources.parquet(path).columns()).toEqual({
      float: { data: Float32Array.of(1.5, gap, -2), shape: [3] },
      double: { data: Float64Array.of(0.1, 1e300, gap), shape: [3] },
      int: { data: Float64Array.of(1, 2, 2 ** 31 - 1), shape: [3] },
      long: { data: Float64Array.of(2 ** 53 - 1, -1, gap), shape: [3] },
      flag: { data: Float32Array.of(1, 0, gap), shape: [3] },
      text: { data: ['é', '', ''], shape: [3] },
      time: { data: ['2024-05-01T12:00:00.500Z', '', '1970-01-01T00:00:00.000Z'], shape: [3] },
      json: { data: ['{"a":1}', '[2]', ''], shape: [3] },
    })
  })

  it('reads days, decimals and lists', async () => {
    const schema = [
      { name: 'root', num_children: 3 },
      { name: 'day', type: 'INT32', converted_type: 'DATE', repetition_type: 'OPTIONAL' },
      { name: 'price', type: 'INT32', converted_type: 'DECIMAL', scale: 2, precision: 6, repetition_type: 'OPTIONAL' },
      { name: 'vector', num_children: 1, converted_type: 'LIST', repetition_type: 'OPTIONAL' },
      { name: 'list', num_children: 1, repetition_type: 'REPEATED' },
      { name: 'element', type: 'FLOAT', repetition_type: 'OPTIONAL' },
    ]
    const columns = [
      { name: 'day', data: [new Date('2024-02-29'), null] },
      { name: 'price', data: [12.5, -0.25] },
      {
        name: 'vector',
        data: [
          [1, 2],
          [3, null],
        ],
      },
    ]
    expect(await sources.parquet(await file(columns, { schema })).columns()).toEqual({
      day: { data: ['2024-02-29', ''], shape: [2] },
      price: { data: Float64Array.of(12.5, -0.25), shape: [2] },
      vector: { data: Float32Array.of(1, 2, 3, Number.NaN), shape: [2, 2] },
    })
    const ragged = [...columns.slice(0, 2), { name: 'vector', data: [[1, 2], [3]] }]
    await expect(sources.parquet(await file(ragged, { schema })).columns()).rejects.toThrow(
      /row 1, column "vector".*Expected 2 values, as in the first row; received \[3\]/,
    )
  })

  it('makes x and y of the columns asked for, with the types given, group by group and pass by pass', async () => {
    const rows = 5000
    const numbers = Array.from({ length: rows }, (_, i) => i)
    const path = await file(
      [
        { name: 'a', data: numbers, type: 'INT32' },
        { name: 'unused', data: numbers.map((i) => `text ${i}`), type: 'STRING' },
        { name: 'class', data: numbers.map((i) => BigInt(i % 3)), type: 'INT64' },
      ],
      { rowGroupSize: 1300 },
    )
    const table = sources.parquet(path, { columns: { a: 'float32' }, target: 'class' })
    for (let pass = 0; pass < 2; pass++)
      expect(await table.columns()).toEqual({
        x: { data: Float32Array.from(numbers), shape: [rows, 1] },
        y: { data: Int32Array.from(numbers, (i) => i % 3), shape: [rows] },
      })
    const across = await table.skip(1299).take(2).columns()
    expect(across.x!.data).toEqual(Float32Array.of(1299, 1300))
  })

  it('leaves out rows that do not fit, or names the first with row, column and value', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {})
    const path = await file([
      { name: 'id', data: [1n, 2n ** 53n, 3n, -(2n ** 60n)], type: 'INT64' },
      { name: 'class', data: [0, 1, null, 1], type: 'INT32' },
    ])
    await expect(sources.parquet(path).columns()).rejects.toThrow(
      /a\.parquet, row 1, column "id".*64 bits hold exactly; received "9007199254740992".*another type for "id"/,
    )
    const typed = { columns: { id: 'string', class: 'int32' }, onError: 'collect' } as const
    const table = sources.parquet(path, typed)
    const { id } = await table.columns()
    expect(id!.data).toEqual(['1', '9007199254740992', '-1152921504606846976'])
    expect(table.badRows.rows).toEqual([
      expect.objectContaining({ file: path, row: 2, column: 'class', value: 'null' }),
    ])
    const kept = sources.parquet(path, { columns: ['id'], onError: 'skip' })
    expect((await kept.columns()).id!.data).toEqual(Float64Array.of(1, 3))
    expect(kept.badRows.count).toBe(2)
  })

  it('takes bytes that are no text for a bad row', async () => {
    const bytes = [Uint8Array.of(104, 105), Uint8Array.of(0xff, 0xfe)]
    const path = await file([{ name: 'a', data: bytes, type: 'BYTE_ARRAY' }])
    await expect(sources.parquet(path).columns()).rejects.toThrow(/row 1, column "a".*Expected text/)
  })

  it.each<[string, () => Promise<string>, RegExp]>([
    ['structs', () => file([{ name: 'a', data: [{ b: 1 }], type: 'VARIANT' }]), /column "a": columns cannot hold/],
    ['no rows', () => file([{ name: 'a', data: [], type: 'INT32' }]), /has no rows/],
    [
      'another format',
      async () => {
        await writeFile(join(folder, 'a.parquet'), 'a,b\n1,2\n3,4\n')
        return join(folder, 'a.parquet')
      },
      /cannot be read as Parquet: .*PAR1/,
    ],
    [
      'a part of a file',
      async () => {
        const path = await file([{ name: 'a', data: [1, 2], type: 'INT32' }])
        await writeFile(path, (await readFile(path)).subarray(20))
        return path
      },
      /cannot be read as Parquet/,
    ],
    [
      'an empty file',
      async () => {
        await writeFile(join(folder, 'a.parquet'), '')
        return join(folder, 'a.parquet')
      },
      /no Parquet file: it has 0 bytes/,
    ],
    ['no file', async () => join(folder, 'none.parquet'), /none\.parquet cannot be read as Parquet: ENOENT/],
  ])('says what is wrong with %s', async (_, path, message) => {
    const reading = sources.parquet(await path()).columns()
    await expect(reading).rejects.toThrow(DataError)
    await expect(reading).rejects.toThrow(message)
  })

  it('reads a Blob, and of an address only the bytes of the columns asked for', async () => {
    const rows = 20_000
    const path = await file(
      [
        { name: 'a', data: Array.from({ length: rows }, (_, i) => i), type: 'INT32' },
        { name: 'big', data: Array.from({ length: rows }, (_, i) => String(i).padEnd(100)), type: 'STRING' },
      ],
      { codec: 'UNCOMPRESSED' },
    )
    const bytes = await readFile(path)
    const expected = { a: { data: Float64Array.from({ length: rows }, (_, i) => i), shape: [rows] } }
    expect(await webSources.parquet(new Blob([bytes]), { columns: ['a'] }).columns()).toEqual(expected)
    let sent = 0
    const server = createServer((request, response) => {
      const [, start, end] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? '') ?? []
      if (request.method === 'HEAD') return response.setHeader('Content-Length', bytes.length).end()
      const part = bytes.subarray(Number(start ?? 0), end ? Number(end) + 1 : bytes.length)
      sent += part.length
      const range = `bytes ${start}-${end || bytes.length - 1}/${bytes.length}`
      return response.writeHead(206, { 'Content-Range': range }).end(part)
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    try {
      const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/a.parquet`)
      expect(await sources.parquet(url, { columns: ['a'] }).columns()).toEqual(expected)
      expect(sent).toBeLessThan(bytes.length / 2)
    } finally {
      server.close()
    }
  })
})

describe('writeTable', () => {
  const float = fc.oneof(fc.double(), fc.float(), fc.constantFrom(0, -1, 1e21, Number.NaN))
  const text = fc.string({ unit: fc.constantFrom('a', '7', ',', '"', '\n', '\r', ' ', 'é'), maxLength: 5 })
  const table = fc
    .array(fc.record({ f: float, d: float, i: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), s: text }), {
      minLength: 1,
      maxLength: 20,
    })
    .map((rows): Columns => {
      const shape = [rows.length]
      return {
        f: { data: Float32Array.from(rows, ({ f }) => f), shape },
        d: { data: Float64Array.from(rows, ({ d }) => (d === 0 ? 0 : d)), shape },
        i: { data: Int32Array.from(rows, ({ i }) => i), shape },
        s: { data: rows.map(({ s }) => s), shape },
      }
    })
  const columns = { f: 'float32', d: 'float64', i: 'int32', s: 'string' } as const
  const isZero = (columns: Columns) => ({
    ...columns,
    f: { ...columns.f!, data: (columns.f!.data as Float32Array).map((value) => (value === 0 ? 0 : value)) },
  })

  it.each(['csv', 'csv.gz', 'parquet'])('writes what is read back, to %s', async (ending) => {
    const path = join(folder, `table.${ending}`)
    const read = ending === 'parquet' ? sources.parquet : sources.csv
    await fc.assert(
      fc.asyncProperty(table, async (written) => {
        await writeTable(Dataset.fromArrays(written), path)
        expect(isZero(await read(path, { columns }).columns())).toEqual(isZero(written))
      }),
      { numRuns: 50 },
    )
  })

  it('writes columns of any shape, whole numbers of 32 bits without a sign, and more than a row group', async () => {
    const rows = 66_000
    const x = { data: Float32Array.from({ length: rows * 4 }, (_, i) => i), shape: [rows, 2, 2] }
    const n = { data: Uint32Array.from({ length: rows }, (_, i) => 2 ** 32 - 1 - i), shape: [rows] }
    const dataset = Dataset.fromArrays({ x, n })
    const path = (ending: string) => join(folder, `shapes.${ending}`)
    for (const ending of ['csv', 'jsonl', 'parquet']) await writeTable(dataset, path(ending))
    const csv = await sources.csv(path('csv')).take(2).columns()
    expect(Object.keys(csv)).toEqual(['x0', 'x1', 'x2', 'x3', 'n'])
    expect([csv.x3!.data, csv.n!.data]).toEqual([Float32Array.of(3, 7), Float64Array.of(2 ** 32 - 1, 2 ** 32 - 2)])
    expect((await sources.jsonl(path('jsonl')).columns()).x).toEqual(x)
    const parquet = await sources.parquet(path('parquet'), { columns: ['n'] }).columns()
    expect(parquet.n!.data).toEqual(Float64Array.from(n.data))
  })

  it('names what it cannot write', async () => {
    const dataset = Dataset.fromRows([{ a: 1 }])
    await expect(writeTable(dataset, join(folder, 'a.xlsx'))).rejects.toThrow(ConfigError)
    await expect(writeTable(dataset, join(folder, 'none', 'a.csv'))).rejects.toThrow(/ENOENT/)
    await expect(writeTable(dataset, process.stdout)).rejects.toThrow(/Pass format/)
    const uneven = Dataset.fromBatches(async function* () {
      yield { a: { data: Float32Array.of(1), shape: [1] } }
      yield { a: { data: ['x'], shape: [1] } }
    })
    for (const format of ['csv', 'jsonl', 'parquet'] as TableFormat[]) {
      await expect(writeTable(uneven, join(folder, 'a'), { format })).rejects.toThrow(/differ in their columns/)
      await expect(writeTable(dataset.take(0), join(folder, 'a'), { format })).rejects.toThrow(/no rows to write/)
    }
    const unknown = writeTable(dataset, join(folder, 'a'), { format: 'tsv' as never })
    await expect(unknown).rejects.toThrow(/format of a table is unknown.*csv, jsonl, parquet.*"?tsv/)
    await expect(writeTable([{ a: 1 }] as never, join(folder, 'a.csv'))).rejects.toThrow(/is no dataset/)
  })

  it.each(['failed.csv', 'failed.csv.gz', 'failed.parquet'])(
    'leaves what was there when it fails: %s',
    async (name) => {
      const failing = Dataset.fromBatches(async function* () {
        yield { a: { data: Float32Array.of(1), shape: [1] } }
        throw new DataError('The file is cut off.')
      })
      const before = await readdir(folder)
      await expect(writeTable(failing, join(folder, name))).rejects.toThrow('The file is cut off.')
      expect(await readdir(folder)).toEqual(before)
      await writeFile(join(folder, name), 'kept')
      await symlink(join(folder, name), join(folder, `link-${name}`))
      await expect(writeTable(failing, join(folder, `link-${name}`))).rejects.toThrow('The file is cut off.')
      expect(await readFile(join(folder, name), 'utf8')).toBe('kept')
      await writeTable(Dataset.fromRows([{ a: 1 }]), join(folder, `link-${name}`))
      expect(await readFile(join(folder, name))).not.toEqual(Buffer.from('kept'))
    },
  )

  it('writes into what is no file as it is', async () => {
    await writeTable(Dataset.fromRows([{ a: 1 }]), '/dev/null', { format: 'csv' })
    expect((await stat('/dev/null')).isCharacterDevice()).toBe(true)
  })
})
