import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DataError } from '../../../src/core/index.js'
import { sources } from '../../../src/data/node.js'

/** Files that numpy wrote: tests/golden/numpy/make.py. */
const saved = (name: string) => fileURLToPath(new URL(`../../golden/numpy/${name}.npy`, import.meta.url))

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dcml-arrays-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function file(name: string, content: Uint8Array): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, content)
  return path
}

const table = { data: Float32Array.of(-2.5, -1.5, -0.5, 0.5, 1.5, 2.5), shape: [3, 2] }

describe('sources.npy', () => {
  it.each([
    ['f4', table],
    ['f8', { data: Float64Array.of(1 / 3, 1e300, Number.NaN), shape: [3] }],
    ['i4', { data: Int32Array.of(-1, 0, 2147483647), shape: [3] }],
    ['i8', { data: Int32Array.of(-2147483648, 0, 9), shape: [3] }],
    ['u1', { data: Uint8Array.from({ length: 24 }, (_, i) => i), shape: [3, 2, 2, 2] }],
    ['b1', { data: Uint8Array.of(1, 0, 1), shape: [3] }],
    ['big-endian', table],
    ['version-2', table],
  ])('reads %s', async (name, expected) => {
    expect(await sources.npy(saved(name)).columns()).toEqual({ x: expected })
  })

  it('reads one file per column, side by side, and again', async () => {
    const dataset = sources.npy({ x: saved('u1'), y: saved('i8') })
    for (let pass = 0; pass < 2; pass++) {
      const { x, y } = await dataset.take(2).columns()
      expect([x!.shape, [...y!.data]]).toEqual([
        [2, 2, 2, 2],
        [-2147483648, 0],
      ])
    }
  })

  it('streams more rows than a chunk, packed too', async () => {
    const rows = 3000
    const header = `{'descr': '<i4', 'fortran_order': False, 'shape': (${rows}, 1), }\n`
    const start = Uint8Array.from(`\x93NUMPY\x01\x00${String.fromCharCode(header.length, 0)}${header}`, (c) =>
      c.charCodeAt(0),
    )
    const values = Int32Array.from({ length: rows }, (_, i) => i * i)
    const path = await file('a.npy', gzipSync(Buffer.concat([start, new Uint8Array(values.buffer)])))
    const sizes: number[] = []
    const read: number[] = []
    for await (const { x } of sources
      .npy(path)
      .mapBatches((batch) => batch)
      .batches(1500)) {
      sizes.push(x!.shape[0]!)
      read.push(...(x!.data as Int32Array))
    }
    expect(sizes).toEqual([1500, 1500])
    expect(read).toEqual([...values])
  })

  it.each([
    ['fortran', /fortran\.npy, byte 10: .*Fortran order.*ascontiguousarray/],
    ['too-wide', /too-wide\.npy, byte 136: .*32 bits.*2147483648/],
    ['text', /text\.npy, byte 10: .*received <U1/],
    ['records', /records\.npy, byte 10: .*received records/],
    ['scalar', /scalar\.npy holds a single number/],
  ])('refuses %s', async (name, message) => {
    const reading = sources.npy(saved(name)).columns()
    await expect(reading).rejects.toThrow(DataError)
    await expect(reading).rejects.toThrow(message)
  })

  it('names the byte at which a file is cut off, goes on, or is no npy file', async () => {
    const whole = await readFile(saved('f4'))
    expect(whole.length).toBe(152)
    const cut = (length: number) => file(`${length}.npy`, whole.subarray(0, length))
    const read = async (path: string) => sources.npy(path).columns()
    await expect(read(await cut(151))).rejects.toThrow(/151\.npy is cut off at byte 151\. Expected 152 bytes/)
    await expect(read(await cut(60))).rejects.toThrow(/cut off at byte 60\. Expected 128 bytes/)
    await expect(read(await cut(3))).rejects.toThrow(/cut off at byte 3/)
    await expect(read(await file('long.npy', Buffer.concat([whole, whole])))).rejects.toThrow(/goes on at byte 152/)
    await expect(read(await file('other.npy', Buffer.from('a,b\n1,2\n3,4\n')))).rejects.toThrow(
      /other\.npy, byte 0: .*received 61 2c/,
    )
    await expect(read(await file('z.npy', gzipSync(whole).subarray(0, 60)))).rejects.toThrow(
      /z\.npy is no whole gzip file: it is cut off or damaged/,
    )
    await expect(read(join(folder, 'none.npy'))).rejects.toThrow(/none\.npy cannot be read/)
    await expect(sources.npy({ x: saved('f4'), y: saved('too-wide') }).columns()).rejects.toThrow(
      /unequal numbers of rows\. Expected 3; received 2/,
    )
  })
})

describe('sources.idx', () => {
  const bytes = (...parts: number[]) => Uint8Array.from(parts)

  it('reads every type, whose bytes are the most significant first, packed or not', async () => {
    const float = await file('f.idx', gzipSync(bytes(0, 0, 13, 2, 0, 0, 0, 2, 0, 0, 0, 1, 63, 128, 0, 0, 192, 0, 0, 0)))
    const short = await file('s.idx', bytes(0, 0, 11, 1, 0, 0, 0, 2, 1, 2, 255, 254))
    expect(await sources.idx({ x: float, y: short }).columns()).toEqual({
      x: { data: Float32Array.of(1, -2), shape: [2, 1] },
      y: { data: Int16Array.of(258, -2), shape: [2] },
    })
  })

  it('names the byte of what is wrong', async () => {
    const cut = sources.idx(await file('a.idx', bytes(0, 0, 8, 1, 0, 0, 0, 9, 1, 2))).columns()
    await expect(cut).rejects.toThrow(DataError)
    await expect(cut).rejects.toThrow(/a\.idx is cut off at byte 10\. Expected 17 bytes; received 10 bytes/)
    await expect(sources.idx(await file('b.idx', bytes(0, 0, 7, 1))).columns()).rejects.toThrow(/b\.idx, byte 0/)
    await expect(sources.idx(await file('c.idx', bytes(0, 0, 8, 1, 0, 0, 0, 1, 5, 6))).columns()).rejects.toThrow(
      /c\.idx goes on at byte 9/,
    )
  })
})
