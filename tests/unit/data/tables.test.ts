import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DataError } from '../../../src/core/index.js'
import { sources } from '../../../src/data/node.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dcml-tables-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, content)
  return path
}

describe('sources.csv', () => {
  it('reads quotes, gaps, line ends of Windows and a byte order mark', async () => {
    const path = await file('a.csv', '\uFEFFname,age\r\n"Smith, ""Jo""",31\r\n"two\nlines",\r\n')
    expect(await sources.csv(path).columns()).toEqual({
      name: { data: ['Smith, "Jo"', 'two\nlines'], shape: [2] },
      age: { data: Float32Array.of(31, Number.NaN), shape: [2] },
    })
  })

  it('makes x and y, from a packed file without header too', async () => {
    const path = await file('a.csv.gz', gzipSync('ignored,line\n1;2;0\n3;4;1\n'))
    const table = sources.csv(path, { delimiter: ';', header: false, skipLines: 1, target: 'c2' })
    for (let pass = 0; pass < 2; pass++)
      expect(await table.columns()).toEqual({
        x: { data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] },
        y: { data: Int32Array.of(0, 1), shape: [2] },
      })
  })

  it('makes y of numbers that are no classes as they are', async () => {
    const path = await file('a.csv', 'x,price\n1,3000000000\n2,4000000000\n')
    expect((await sources.csv(path, { target: 'price' }).columns()).y!.data).toEqual(Float32Array.of(3e9, 4e9))
  })

  it('reads the columns asked for with the types given', async () => {
    const path = await file('a.csv', 'a,b,c\n1,2,3\n')
    expect(await sources.csv(path, { columns: { c: 'int32', a: 'string' } }).columns()).toEqual({
      c: { data: Int32Array.of(3), shape: [1] },
      a: { data: ['1'], shape: [1] },
    })
  })

  it('streams more rows than a chunk', async () => {
    const path = await file('a.csv', `n\n${Array.from({ length: 3000 }, (_, i) => i).join('\n')}\n`)
    const { n } = await sources.csv(path).columns()
    expect(n!.data).toEqual(Float32Array.from({ length: 3000 }, (_, i) => i))
  })

  it('names file, line and column of a bad value', async () => {
    const path = await file('a.csv', `n\n${'1\n'.repeat(2000)}oops\n`)
    const reading = sources.csv(path).columns()
    await expect(reading).rejects.toThrow(DataError)
    await expect(reading).rejects.toThrow(/a\.csv, line 2002, column "n".*"oops"/)
  })

  it('says what is wrong with a file', async () => {
    await expect(sources.csv(await file('a.csv', 'a,b\n1,2\n3\n')).columns()).rejects.toThrow(/a\.csv, line 3/)
    await expect(sources.csv(join(folder, 'none.csv')).columns()).rejects.toThrow(/none\.csv/)
    await expect(sources.csv(await file('b.csv.gz', 'no gzip')).columns()).rejects.toThrow(DataError)
    await expect(sources.csv(await file('c.csv', 'a\n1\n'), { columns: ['z'] }).columns()).rejects.toThrow(/"z"/)
  })
})

describe('sources.jsonl', () => {
  it('reads the columns asked for with the types given, and makes x and y, as csv does', async () => {
    const path = await file(
      'a.jsonl',
      '{"id":7,"a":0.5,"b":[1,2],"y":1,"t":"u"}\n{"y":0,"b":[3,4],"extra":1,"a":null,"id":16777217}\n',
    )
    expect(await sources.jsonl(path, { columns: ['a', 'b'], target: 'y' }).columns()).toEqual({
      x: { data: Float32Array.of(0.5, 1, 2, Number.NaN, 3, 4), shape: [2, 3] },
      y: { data: Int32Array.of(1, 0), shape: [2] },
    })
    expect(await sources.jsonl(path, { columns: { id: 'int32', t: 'string' } }).columns()).toEqual({
      id: { data: Int32Array.of(7, 16777217), shape: [2] },
      t: { data: ['u', ''], shape: [2] },
    })
    expect((await sources.jsonl(path, { columns: ['id'] }).columns()).id!.data).toEqual(Float64Array.of(7, 16777217))
    await expect(sources.jsonl(path, { columns: ['ab'] }).columns()).rejects.toThrow(/has no column "ab".*id, a, b, y/)
    await expect(sources.jsonl(path, { columns: { a: 'int32' } }).columns()).rejects.toThrow(
      /a\.jsonl, line 1, column "a".*whole number of 32 bits/,
    )
  })

  it('reads objects, skipping empty lines', async () => {
    const path = await file('a.jsonl.gz', gzipSync('{"a":1,"b":[1,2]}\n\n{"a":null,"b":[3,4]}\n'))
    expect(await sources.jsonl(path).columns()).toEqual({
      a: { data: Float32Array.of(1, Number.NaN), shape: [2] },
      b: { data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] },
    })
  })

  it('names the line that is no object', async () => {
    await expect(sources.jsonl(await file('a.jsonl', '{"a":1}\n{"a":\n')).columns()).rejects.toThrow(/a\.jsonl, line 2/)
    await expect(sources.jsonl(await file('b.jsonl', '[1]\n')).columns()).rejects.toThrow(/line 1: this is no object/)
    await expect(sources.jsonl(join(folder, 'none.jsonl')).columns()).rejects.toThrow(DataError)
  })
})
