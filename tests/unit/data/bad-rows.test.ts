import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ConfigError, DataError } from '../../../src/core/index.js'
import type { CsvOptions } from '../../../src/data/index.js'
import { sources } from '../../../src/data/node.js'

let folder: string
let warnings: string[]
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dcml-bad-rows-'))
  warnings = []
  vi.spyOn(console, 'warn').mockImplementation((text: string) => {
    warnings.push(text)
  })
})
afterEach(async () => {
  vi.restoreAllMocks()
  await rm(folder, { recursive: true })
})

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, content)
  return path
}

const TABLE = 'a,b\n1,2\n3\n5,"6"x\n7,oops\n9,10\n11,12,13\n'
const COLUMNS = { a: 'float32', b: 'int32' } as const
const GOOD = { a: { data: Float32Array.of(1, 9), shape: [2] }, b: { data: Int32Array.of(2, 10), shape: [2] } }

describe('onError', () => {
  it("ends at the first bad row with 'throw', naming file, line, column and value", async () => {
    const read = async (content: string) => sources.csv(await file('a.csv', content), { columns: COLUMNS }).columns()
    await expect(read('a,b\n1,2\n3,oops\n')).rejects.toThrow(
      /a\.csv, line 3, column "b": the value does not fit\. Expected a whole number of 32 bits; received "oops"/,
    )
    await expect(read(TABLE)).rejects.toThrow(/a\.csv, line 3: the row has 1 values\. Expected 2: a, b; received "3"/)
  })

  it("leaves bad rows out with 'skip', counts them and tells once", async () => {
    const path = await file('a.csv', TABLE)
    const table = sources.csv(path, { columns: COLUMNS, onError: 'skip' })
    for (let pass = 0; pass < 2; pass++) {
      expect(await table.columns()).toEqual(GOOD)
      expect([table.badRows.count, table.badRows.rows.length]).toEqual([4, 3])
    }
    expect(warnings).toEqual([
      [
        `dcml: 4 rows were left out of ${path}:`,
        `  ${path}, line 3: the row has 1 values: expected 2: a, b; received "3"`,
        `  ${path}, line 4, column "b": text follows a closing quote: expected quotes around a whole value, and doubled within one; received "\\"6\\"x"`,
        `  ${path}, line 5, column "b": the value does not fit: expected a whole number of 32 bits; received "oops"`,
        '  and 1 more',
      ].join('\n'),
    ])
  })

  it("keeps every one with 'collect'", async () => {
    const path = await file('a.jsonl', '{"a":1}\n[2]\n{"a":"x"}\n{"a":3,"b":1}\nnull\n{"a":4}\n')
    const table = sources.jsonl(path, { onError: 'collect' })
    expect(await table.columns()).toEqual({ a: { data: Float32Array.of(1, 4), shape: [2] } })
    expect(table.badRows.rows.map(({ line, column, value }) => [line, column, value])).toEqual([
      [2, undefined, '"[2]"'],
      [3, 'a', '"x"'],
      [4, 'b', undefined],
      [5, undefined, '"null"'],
    ])
  })

  it('tells of rows that a pass left out which ended early, and again where a later one finds more', async () => {
    const table = sources.csv(await file('a.csv', `a\n${'1\n1,2\n'.repeat(2000)}`), { onError: 'skip' })
    for await (const _ of table.batches(10)) break
    expect(table.badRows.count).toBeLessThan(2000)
    expect(warnings.length).toBe(1)
    await table.columns()
    expect(table.badRows.count).toBe(2000)
    expect(warnings.length).toBe(2)
  })

  it('says when no row is left', async () => {
    const table = sources.csv(await file('a.csv', 'a,b\n1\n2\n'), { onError: 'skip' })
    await expect(table.columns()).rejects.toThrow(/a\.csv has no rows that can be read: 2 were left out/)
  })

  it('is one of three words', () => {
    // @ts-expect-error: another word.
    expect(() => sources.csv('a.csv', { onError: 'ignore' })).toThrow(ConfigError)
  })
})

describe('bad input', () => {
  it.each<[string, string | Uint8Array, CsvOptions, RegExp]>([
    ['an empty file', '', {}, /a\.csv is empty/],
    ['an empty packed file', gzipSync(''), {}, /a\.csv is empty/],
    ['blank lines alone', '\n\r\n', {}, /a\.csv is empty/],
    ['a header alone', 'a,b\n', {}, /a\.csv has no rows/],
    ['a column of the same name', 'a,b,a\n1,2,3\n', {}, /two columns "a"\. Received columns 1 and 3/],
    ['a missing column', 'age,b\n1,2\n', { columns: ['agee'] }, /no column "agee".*Did you mean 'age'/],
    ['a missing target', 'a,b\n1,2\n', { target: 'y' }, /no column "y"\. Received the columns a, b/],
    ['an unknown type', 'a\n1\n', { columns: { a: 'int' as 'int32' } }, /type of the column "a" is unknown/],
    ['names for another number', '1,2\n', { header: false, columns: ['a'] }, /another number of columns/],
    ['a short row', 'a,b\n1,2\n3\n', {}, /line 3: the row has 1 values/],
    ['a long row', 'a,b\n1,2,3\n', {}, /line 2: the row has 3 values/],
    ['another type late', `a\n${'1\n'.repeat(3000)}x\n`, {}, /line 3002, column "a".*"x"/],
    ['a gap in whole numbers', 'a\n1\n""\n', { columns: { a: 'int32' } }, /line 3, column "a".*whole number/],
    ['a fraction as a class', 'a\n1.5\n', { columns: { a: 'int32' } }, /line 2.*received "1\.5"/],
    ['a number past 32 bits', 'a\n2147483648\n', { columns: { a: 'int32' } }, /line 2.*"2147483648"/],
    ['a number past float32, late', `a\n${'1\n'.repeat(3000)}1e39\n`, {}, /line 3002, column "a".*32 bits.*"1e39"/],
    ['a number past 8 bits', 'a\n256\n', { columns: { a: 'uint8' } }, /0 to 255; received "256"/],
    ['text in x', 'a,b,y\n1,two,3\n', { target: 'y' }, /column "b" holds text/],
    ['an open quote', 'a\n1\n"2\n3\n', {}, /line 3, column "a": the quote is never closed.*"\\"2"/],
    ['an open quote in the header', '"a\n1\n', {}, /line 1: the quote is never closed, in the line that gives/],
    ['text of another alphabet', Uint8Array.from([97, 10, 49, 233, 10]), {}, /no utf-8 text, near byte 3.*iconv/],
    ['a cut character', Uint8Array.from([97, 10, 0xc3]), {}, /no utf-8 text/],
    ['a cut gzip', gzipSync('a,b\n1,2\n').subarray(0, 20), {}, /no whole gzip file: it is cut off or damaged/],
    ['a damaged gzip', gzipSync('a\n1\n').fill(9, 10, 14), {}, /no whole gzip file/],
    ['the wrong delimiter', 'a;b\n1;2\n', { columns: ['a'] }, /no column "a"\. Received the columns a;b/],
    ['a delimiter that is none', 'a\n1\n', { delimiter: '"' }, /This delimiter cannot part values/],
  ])('%s is one clear error', async (_, content, options, message) => {
    const path = await file('a.csv', content)
    const reading = (async () => sources.csv(path, options).columns())()
    await expect(reading).rejects.toThrow(message)
    await expect(reading).rejects.toMatchObject({ code: expect.stringMatching(/^DCML_(DATA|CONFIG)$/) })
  })

  it.each<[string, string | Uint8Array, CsvOptions, object]>([
    ['a mark of UTF-16', Buffer.from('\ufeffa\n"é"\n', 'utf16le'), {}, { a: { data: ['é'], shape: [1] } }],
    ['a column without a name', ',b\n1,2\n', { columns: ['c0'] }, { c0: { data: Float32Array.of(1), shape: [1] } }],
    ['blanks about numbers', 'a\n 1 \n\t2\n', {}, { a: { data: Float32Array.of(1, 2), shape: [2] } }],
    ['no end of the last line', 'a\n1\r\n2', {}, { a: { data: Float32Array.of(1, 2), shape: [2] } }],
    ['NaN by name', 'a\nNaN\n""\n', {}, { a: { data: Float32Array.of(Number.NaN, Number.NaN), shape: [2] } }],
    ['ends of lines in quotes', 'a\n"x\r\ny"\n', {}, { a: { data: ['x\r\ny'], shape: [1] } }],
  ])('%s is read', async (_, content, options, expected) => {
    expect(await sources.csv(await file('a.csv', content), options).columns()).toEqual(expected)
  })

  it('a huge value is read, across the pieces of a file', async () => {
    const huge = 'x,"y'.repeat(200_000)
    const { a, b } = await sources.csv(await file('a.csv', `a,b\n"${huge.replaceAll('"', '""')}",1\n`)).columns()
    expect([(a!.data as string[])[0] === huge, b!.data]).toEqual([true, Float32Array.of(1)])
  })

  it('a file that is no file is named', async () => {
    await expect(sources.csv(folder).columns()).rejects.toThrow(DataError)
    await expect(sources.csv(join(folder, 'none.csv')).columns()).rejects.toThrow(/none\.csv cannot be read: ENOENT/)
  })
})
