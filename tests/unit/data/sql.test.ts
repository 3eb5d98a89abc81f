import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { DataError } from '../../../src/core/index.js'
import { Dataset } from '../../../src/data/index.js'
import { sources, writeTable } from '../../../src/data/node.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dcml-sql-'))
})
afterEach(async () => {
  vi.restoreAllMocks()
  await rm(folder, { recursive: true })
})

const gap = Number.NaN

describe('sources.sql', () => {
  it('reads every kind of value', async () => {
    const query = `select * from (values
      (1.5::float, 0.1::double, 7, 9007199254740991, true, 'é', date '2024-02-29', timestamp '2024-05-01 12:00:00.5', 12.34::decimal(6, 2), [1.0, 2.0], 'a'::enum('a', 'b')),
      (null, null, null, null, null, null, null, null, null, [3.0, null], null)
    ) as t(f, d, i, l, b, s, day, time, price, vector, word)`
    expect(await sources.sql(query).columns()).toEqual({
      f: { data: Float32Array.of(1.5, gap), shape: [2] },
      d: { data: Float64Array.of(0.1, gap), shape: [2] },
      i: { data: Float64Array.of(7, gap), shape: [2] },
      l: { data: Float64Array.of(9007199254740991, gap), shape: [2] },
      b: { data: Float32Array.of(1, gap), shape: [2] },
      s: { data: ['é', ''], shape: [2] },
      day: { data: ['2024-02-29', ''], shape: [2] },
      time: { data: ['2024-05-01T12:00:00.500Z', ''], shape: [2] },
      price: { data: Float64Array.of(12.34, gap), shape: [2] },
      vector: { data: Float64Array.of(1, 2, 3, gap), shape: [2, 2] },
      word: { data: ['a', ''], shape: [2] },
    })
  })

  it('filters Parquet and CSV before it gets here, with bound values, pass after pass', async () => {
    const rows = 5000
    const path = join(folder, 'a.parquet')
    await writeTable(
      Dataset.fromArrays({
        n: { data: Int32Array.from({ length: rows }, (_, i) => i), shape: [rows] },
        name: { data: Array.from({ length: rows }, (_, i) => `row ${i}`), shape: [rows] },
      }),
      path,
    )
    await writeFile(join(folder, 'b.csv'), 'n,class\n4998,1\n4999,0\n')
    const query = `select a.n, b.class from read_parquet($file) a join read_csv($other) b on a.n = b.n
      where a.n >= $least order by a.n`
    const values = { file: path, other: join(folder, 'b.csv'), least: 4998 }
    const table = sources.sql(query, { values, target: 'class' })
    for (let pass = 0; pass < 2; pass++)
      expect(await table.columns()).toEqual({
        x: { data: Float32Array.of(4998, 4999), shape: [2, 1] },
        y: { data: Int32Array.of(1, 0), shape: [2] },
      })
    const named = sources.sql('select n from read_parquet(?) where name = ?', { values: [path, 'row 7'] })
    expect((await named.columns()).n!.data).toEqual(Float64Array.of(7))
  })

  it('reads a database, by several passes at once, after statements of setup', async () => {
    const path = join(folder, 'a.duckdb')
    const instance = await DuckDBInstance.create(path)
    const connection = await instance.connect()
    await connection.run('create table t as select range as n from range(3000)')
    connection.closeSync()
    instance.closeSync()
    const table = sources.sql('select twice(n)::float as m from t order by n', {
      database: path,
      setup: 'create temp macro twice(n) as 2 * n',
    })
    const passes = await Promise.all([table.columns(), table.columns(), table.take(2000).columns()])
    expect(passes.map(({ m }) => m!.data.at(-1))).toEqual([5998, 5998, 3998])
  })

  it('streams: a pass that ends early does not run the whole query', async () => {
    const table = sources.sql('select i::float as i from range(1000000000) r(i)')
    expect((await table.take(3).columns()).i!.data).toEqual(Float32Array.of(0, 1, 2))
  })

  it('leaves out rows that do not fit, or names the first', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {})
    const query = 'select * from (values (1), (9007199254740993), (null)) t(id)'
    await expect(sources.sql(query).columns()).rejects.toThrow(
      /the query, row 1, column "id".*received "9007199254740993"/,
    )
    const table = sources.sql(query, { columns: { id: 'int32' }, onError: 'skip' })
    expect((await table.columns()).id!.data).toEqual(Int32Array.of(1))
    expect(table.badRows.count).toBe(2)
  })

  it('waits with the length of lists for the first that is there', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {})
    const query = 'select case when i < 5000 then null else [i, 1.5]::float[] end as x from range(5002) r(i)'
    const table = sources.sql(query, { onError: 'skip' })
    expect((await table.columns()).x).toEqual({ data: Float32Array.of(5000, 1.5, 5001, 1.5), shape: [2, 2] })
    expect(table.badRows.count).toBe(5000)
  })

  it.each<[string, string, RegExp]>([
    ['a mistake', 'selec 1', /The query cannot be run: .*syntax error/],
    ['a missing file', "select * from 'none.parquet'", /cannot be run: .*No files found/],
    ['an unbound value', 'select $1', /cannot be run/],
    ['a struct', "select {'a': 1} as s", /column "s" of the query is a STRUCT.*s::varchar/],
    ['two columns of a name', 'select 1 as a, 2 as a', /two columns "a"/],
    ['no rows', 'select 1 as a where false', /the query has no rows/],
    ['an error late', "select case when i < 5000 then i else error('late') end as i from range(9000) r(i)", /late/],
  ])('says what is wrong with %s', async (_, query, message) => {
    const reading = sources.sql(query).columns()
    await expect(reading).rejects.toThrow(message)
    await expect(reading).rejects.toThrow(DataError)
  })
})
