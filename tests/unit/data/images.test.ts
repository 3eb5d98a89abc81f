import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ConfigError, DataError } from '../../../src/core/index.js'
import { sources } from '../../../src/data/node.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dcml-images-'))
})
afterEach(async () => {
  vi.restoreAllMocks()
  await rm(folder, { recursive: true })
})

/** Writes raw pixels of `[height, width, channels]` as a picture of the kind that the name says. */
async function picture(name: string, pixels: number[], [height, width, channels]: [number, number, 1 | 3 | 4]) {
  await mkdir(join(folder, name, '..'), { recursive: true })
  const image = sharp(Uint8Array.from(pixels), { raw: { height, width, channels } })
  await image.toFile(join(folder, name))
}

const RED = [255, 0, 0]
const BLUE = [0, 0, 255]

describe('sources.imageFolder', () => {
  it('reads pictures by name, with their classes, as pixels', async () => {
    await picture('dog/b.png', [...RED, ...BLUE, ...BLUE, ...RED], [2, 2, 3])
    await picture('cat/a.png', [10, 20, 30, 40], [2, 2, 1])
    await picture('cat/c.webp', [...RED, ...RED, ...RED, ...RED], [2, 2, 3])
    await writeFile(join(folder, 'cat', 'notes.txt'), 'no picture')
    const pets = sources.imageFolder(folder, { size: [2, 2] })
    for (let pass = 0; pass < 2; pass++) {
      const { x, y, file } = await pets.columns()
      expect([file!.data, y!.data]).toEqual([
        ['cat/a.png', 'cat/c.webp', 'dog/b.png'],
        ['cat', 'cat', 'dog'],
      ])
      expect(x!.shape).toEqual([3, 2, 2, 3])
      expect([...x!.data.slice(0, 12)]).toEqual([10, 20, 30, 40].flatMap((grey) => [grey, grey, grey]))
      expect([...x!.data.slice(24)]).toEqual([...RED, ...BLUE, ...BLUE, ...RED])
    }
  })

  it('brings every picture to the size and the channels asked for', async () => {
    // Twice as wide as high: red at the left, blue at the right.
    await picture('a/a.png', [...RED, ...RED, ...BLUE, ...BLUE, ...RED, ...RED, ...BLUE, ...BLUE], [2, 4, 3])
    const read = async (options: object) => {
      const { x } = await sources.imageFolder(folder, { size: [4, 4], ...options }).columns()
      return { shape: x!.shape, pixel: (row: number) => [...x!.data.slice(row * 4 * 3, row * 4 * 3 + 3)] }
    }
    expect((await read({})).pixel(0)[0]).toBeGreaterThan(200)
    const contained = await read({ fit: 'contain' })
    expect([contained.pixel(0), contained.pixel(1)]).toEqual([[0, 0, 0], RED])
    const { x } = await sources.imageFolder(folder, { size: [1, 2], channels: 1 }).columns()
    expect(x!.shape).toEqual([1, 1, 2, 1])
    expect(x!.data[0]).toBeGreaterThan(x!.data[1] as number)
    const opaque = await sources.imageFolder(folder, { size: [1, 1], channels: 4 }).columns()
    expect([opaque.x!.shape, opaque.x!.data[3]]).toEqual([[1, 1, 1, 4], 255])
  })

  it('turns upright what the camera says it held sideways', async () => {
    await mkdir(join(folder, 'a'))
    const raw = { raw: { height: 1, width: 2, channels: 3 } } as const
    // Orientation 6: to be turned by 90 degrees clockwise, so the left pixel comes to the top.
    const image = sharp(Uint8Array.from([...RED, ...BLUE]), raw).withMetadata({ orientation: 6 })
    await image.png().toFile(join(folder, 'a', 'a.png'))
    const { x } = await sources.imageFolder(folder, { size: [2, 1] }).columns()
    expect([...x!.data]).toEqual([...RED, ...BLUE])
  })

  it('names a picture that is damaged, or leaves it out', async () => {
    await picture('a/1.png', RED, [1, 1, 3])
    await picture('b/3.png', BLUE, [1, 1, 3])
    await writeFile(join(folder, 'a', '2.jpg'), 'no picture')
    const reading = sources.imageFolder(folder, { size: [1, 1] }).columns()
    await expect(reading).rejects.toThrow(DataError)
    await expect(reading).rejects.toThrow(/2\.jpg is no picture that can be read/)
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const some = sources.imageFolder(folder, { size: [1, 1], onError: 'collect' })
    const { x, y, file } = await some.columns()
    expect([[...x!.data], y!.data, file!.data]).toEqual([
      [...RED, ...BLUE],
      ['a', 'b'],
      ['a/1.png', 'b/3.png'],
    ])
    expect(some.badRows.rows).toEqual([expect.objectContaining({ file: folder, row: 1, value: '"a/2.jpg"' })])
    expect(warn).toHaveBeenCalledWith(expect.stringContaining('1 row was left out'))
  })

  it('refuses a size that is none, and a folder without pictures', async () => {
    expect(() => sources.imageFolder(folder, { size: [0, 4] })).toThrow(ConfigError)
    await expect(sources.imageFolder(folder, { size: [4, 4] }).columns()).rejects.toThrow(/holds no file of the kind/)
    await expect(sources.imageFolder(join(folder, 'none'), { size: [4, 4] }).columns()).rejects.toThrow(
      /cannot be read/,
    )
  })
})
