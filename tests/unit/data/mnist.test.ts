import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { DataError } from '../../../src/core/index.js'
import { findMnist, sources } from '../../../src/data/node.js'

const real = process.env.DCML_DATA_DIR
if (!real) console.log('Skipped: tests on real MNIST, for DCML_DATA_DIR is not set.')

const idx = (axes: number[], data: number[]) =>
  Uint8Array.from([0, 0, 8, axes.length, ...axes.flatMap((size) => [0, 0, size >> 8, size & 255]), ...data])

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dcml-mnist-'))
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})

/** Two images, the first all 7, the second all 9, with labels 3 and 4. */
async function writeSmall(dir: string, change: Record<string, Uint8Array> = {}): Promise<void> {
  await mkdir(dir, { recursive: true })
  for (const split of ['train', 't10k']) {
    const pixels = [...new Array(784).fill(7), ...new Array(784).fill(9)]
    const files = {
      [`${split}-images-idx3-ubyte.gz`]: gzipSync(idx([2, 28, 28], pixels)),
      [`${split}-labels-idx1-ubyte`]: idx([2], [3, 4]),
      ...change,
    }
    for (const [name, bytes] of Object.entries(files)) await writeFile(join(dir, name), bytes)
  }
}

describe('sources.mnist', () => {
  it('reads packed and plain files in the subfolder', async () => {
    await writeSmall(join(folder, 'mnist'))
    const { x, y } = await (await sources.mnist({ dir: folder, split: 'test' })).columns()
    expect(x!.shape).toEqual([2, 28, 28, 1])
    expect(x!.data).toBeInstanceOf(Uint8Array)
    expect([x!.data[783], x!.data[784]]).toEqual([7, 9])
    expect(y).toEqual({ data: Int32Array.of(3, 4), shape: [2] })
  })

  it.each([
    ['a wrong magic', { 'train-labels-idx1-ubyte': Uint8Array.of(1, 2, 3, 4) }, /train-labels.*Expected.*01 02 03/s],
    ['a short file', { 'train-labels-idx1-ubyte': idx([2], [3]) }, /train-labels.*10 bytes.*9 bytes/],
    ['a cut gzip', { 'train-images-idx3-ubyte.gz': gzipSync(idx([2, 28, 28], [1])).subarray(0, 20) }, /train-images/],
    ['other counts', { 'train-labels-idx1-ubyte': idx([3], [1, 2, 3]) }, /Expected 2; received \[3\]/],
  ])('refuses %s', async (_, change, message) => {
    await writeSmall(folder, change)
    const reading = sources.mnist({ dir: folder, split: 'train' })
    await expect(reading).rejects.toThrow(DataError)
    await expect(reading).rejects.toThrow(message)
  })

  it.skipIf(!real)('reads the original', async () => {
    const train = await (await sources.mnist({ split: 'train' })).columns()
    expect(train.x!.shape).toEqual([60_000, 28, 28, 1])
    // MD5 of the pixels behind the 16 bytes of the header of the original file.
    const header = Uint8Array.of(0, 0, 8, 3, 0, 0, 0xea, 0x60, 0, 0, 0, 28, 0, 0, 0, 28)
    const sum = createHash('md5')
      .update(header)
      .update(train.x!.data as Uint8Array)
      .digest('hex')
    expect(sum).toBe('6bbc9ace898e44ae57da46a324031adb')
    expect([...train.y!.data.slice(0, 10)]).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4])
  })
})

describe('findMnist', () => {
  let server: Server | undefined
  afterEach(() => new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve())))

  it('takes the folder that was named, and no other', async () => {
    await writeSmall(join(folder, 'mnist'))
    expect((await findMnist({ dir: folder })).dir).toBe(join(folder, 'mnist'))
    await expect(findMnist({ dir: join(folder, 'none') })).rejects.toThrow(DataError)
  })

  it('looks into the environment, then the cache', async () => {
    vi.stubEnv('DCML_DATA_DIR', '')
    await writeSmall(folder)
    expect((await findMnist({ cacheDir: folder, download: false })).dir).toBe(folder)
    vi.stubEnv('DCML_DATA_DIR', join(folder, 'none'))
    await expect(findMnist({ cacheDir: folder })).rejects.toThrow(/DCML_DATA_DIR/)
  })

  it('keeps nothing of a mirror that gives the wrong bytes, and says why', async () => {
    vi.stubEnv('DCML_DATA_DIR', '')
    server = createServer((request, response) => {
      if (request.url!.startsWith('/gone/')) response.writeHead(404).end()
      else response.end(gzipSync('not MNIST'))
    })
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve))
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const { dir, tried } = await findMnist({ cacheDir: folder, mirrors: [`${origin}/gone/`, `${origin}/wrong/`] })
    expect(dir).toBeUndefined()
    expect(tried.join('\n')).toMatch(/gone.*404[\s\S]*wrong.*SHA-256/)
    expect(await readdir(folder)).toEqual([])
  })

  it.skipIf(!real)('downloads into the cache what passes its check', async () => {
    vi.stubEnv('DCML_DATA_DIR', '')
    const { readFile } = await import('node:fs/promises')
    server = createServer(async (request, response) => {
      response.end(await readFile(join(real!, 'mnist', request.url!)))
    })
    await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve))
    const mirror = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    expect((await findMnist({ cacheDir: folder, mirrors: [mirror] })).dir).toBe(folder)
    expect((await readdir(folder)).length).toBe(4)
  })
})
