import { execFileSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { StorageError } from '../../../src/core/index.js'
import { directory } from '../../../src/storage/node.js'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dcml-directory-'))
})
afterEach(() => rm(folder, { recursive: true }))

describe('directory', () => {
  it('keeps files plain, with a sum that sha256sum agrees to', async () => {
    const store = directory(folder)
    await store.write('run/a.bin', Uint8Array.of(1, 2, 3))
    await store.write('run/a.bin', Uint8Array.of(4, 5))
    expect([...(await readFile(join(folder, 'run/a.bin')))]).toEqual([4, 5])
    const out = execFileSync('sha256sum', ['-c', 'a.bin.sha256'], { cwd: join(folder, 'run'), encoding: 'utf8' })
    expect(out).toBe('a.bin: OK\n')
  })

  it('leaves no temporary file', async () => {
    await directory(folder).write('a', new Uint8Array(1000))
    expect((await readdir(folder)).sort()).toEqual(['a', 'a.sha256'])
  })

  it('reports a flipped bit and a cut-off file', async () => {
    const store = directory(folder)
    await store.write('a', Uint8Array.of(1, 2, 3))
    await writeFile(join(folder, 'a'), Uint8Array.of(1, 2, 2))
    await expect(store.read('a')).rejects.toThrow(/'a' in .* is damaged/)
    await writeFile(join(folder, 'a'), Uint8Array.of(1, 2))
    await expect(store.read('a')).rejects.toThrow(StorageError)
    await store.write('a', Uint8Array.of(7))
    expect([...(await store.read('a'))]).toEqual([7])
  })

  it('can be read after a crash at any point of a replacement', async () => {
    const store = directory(folder)
    await store.write('a', Uint8Array.of(1))
    const oldSum = await readFile(join(folder, 'a.sha256'), 'utf8')
    await store.write('a', Uint8Array.of(2))
    const newSum = await readFile(join(folder, 'a.sha256'), 'utf8')
    // The crash: both sums are listed, and the file is either the old one or the new one.
    await writeFile(join(folder, 'a.sha256'), newSum + oldSum)
    expect([...(await store.read('a'))]).toEqual([2])
    await writeFile(join(folder, 'a'), Uint8Array.of(1))
    expect([...(await store.read('a'))]).toEqual([1])
  })

  it('reads a file without a sum, put there by hand', async () => {
    await writeFile(join(folder, 'hand.txt'), 'hi')
    expect(new TextDecoder().decode(await directory(folder).read('hand.txt'))).toBe('hi')
  })

  it('lists nothing where the folder does not exist', async () => {
    expect(await directory(join(folder, 'none')).list()).toEqual([])
  })

  it('says why a write failed', async () => {
    const store = directory(folder)
    await store.write('a', Uint8Array.of(1))
    await expect(store.write('a/b', Uint8Array.of(1))).rejects.toThrow(StorageError)
  })
})
