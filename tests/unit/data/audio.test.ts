import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { audioFolder } from '../../../src/data/audio-folder.js'
import { readWav } from '../../../src/data/wav.js'

const root = mkdtempSync(join(tmpdir(), 'dcml-audio-'))
afterAll(() => rmSync(root, { recursive: true }))

interface Wav {
  code?: number
  channels?: number
  bits?: number
  rate?: number
  /** A chunk of odd length before the samples. */
  extra?: boolean
}

/** A file of samples that are already bytes. */
function wav(bytes: number[], { code = 1, channels = 1, bits = 16, rate = 8000, extra = false }: Wav = {}): Buffer {
  const format = Buffer.alloc(24)
  format.write('fmt ')
  format.writeUInt32LE(16, 4)
  format.writeUInt16LE(code, 8)
  format.writeUInt16LE(channels, 10)
  format.writeUInt32LE(rate, 12)
  format.writeUInt16LE(bits, 22)
  const list = extra ? Buffer.from('LIST\x03\0\0\0abc\0', 'latin1') : Buffer.alloc(0)
  const data = Buffer.alloc(8)
  data.write('data')
  data.writeUInt32LE(bytes.length, 4)
  const body = Buffer.concat([format, list, data, Buffer.from(bytes)])
  const head = Buffer.alloc(12)
  head.write('RIFF')
  head.writeUInt32LE(4 + body.length, 4)
  head.write('WAVE', 8)
  return Buffer.concat([head, body])
}

function write(name: string, bytes: Buffer): string {
  const path = join(root, name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, bytes)
  return path
}

const floats = (values: number[], bits: number) => [
  ...Buffer.from(bits === 32 ? Float32Array.from(values).buffer : Float64Array.from(values).buffer),
]

describe('WAV', () => {
  it.each([
    ['8 bits', [0, 128, 192], { bits: 8 }, [-1, 0, 0.5]],
    ['16 bits', [0, 0x80, 0, 0x40, 0xff, 0xff], {}, [-1, 0.5, -(2 ** -15)]],
    ['24 bits', [0, 0, 0x80, 0, 0, 0x40, 0xff, 0xff, 0xff], { bits: 24 }, [-1, 0.5, -(2 ** -23)]],
    ['32 bits', [0, 0, 0, 0x80, 0, 0, 0, 0x40], { bits: 32 }, [-1, 0.5]],
    ['floats', floats([0.25, -1], 32), { code: 3, bits: 32 }, [0.25, -1]],
    ['doubles', floats([0.25, -1], 64), { code: 3, bits: 64 }, [0.25, -1]],
    [
      'two channels, after another chunk',
      [0, 0x40, 0, 0, 0, 0x80, 0, 0x40],
      { channels: 2, extra: true },
      [0.25, -0.25],
    ],
  ] as [string, number[], Wav, number[]][])('of %s', async (name, bytes, form, expected) => {
    const { samples, sampleRate } = await readWav(write(`${name}.wav`, wav(bytes, form)))
    expect([...samples]).toEqual(expected)
    expect(sampleRate).toBe(8000)
  })

  it.each([
    ['no WAV', Buffer.from('hello, this is text'), /is no WAV file/],
    ['cut off', wav([1, 2, 3, 4]).subarray(0, -2), /cut off at byte 46.*48 bytes/s],
    ['compressed', wav([1, 2], { code: 2, bits: 4 }), /unknown kind.*code 2, 4 bits/s],
    ['without samples', wav([]).subarray(0, 36), /has no samples/],
  ])('%s is one clear error', async (name, bytes, message) => {
    await expect(readWav(write(`bad/${name}.wav`, bytes))).rejects.toThrow(message)
  })

  it('that is not there is one clear error', async () => {
    await expect(readWav(join(root, 'none.wav'))).rejects.toThrow(/none.wav cannot be read/)
  })
})

describe('a folder of sounds', () => {
  write('pets/cat/1.wav', wav([0, 0x40, 0, 0x40]))
  write('pets/dog/2.WAV', wav([0, 0x80, 0, 0x80, 0, 0x80, 0, 0x80]))
  write('pets/dog/notes.txt', Buffer.from('no sound'))

  it('becomes rows of one length, with the subfolder as class', async () => {
    const { x, y, file } = await audioFolder(join(root, 'pets'), { samples: 3 }).columns()
    expect(x!.shape).toEqual([2, 3])
    expect([...x!.data]).toEqual([0.5, 0.5, 0, -1, -1, -1])
    expect(y!.data).toEqual(['cat', 'dog'])
    expect(file!.data).toEqual(['cat/1.wav', 'dog/2.WAV'])
  })

  it('takes the class from the name when it is told how', async () => {
    const { y } = await audioFolder(join(root, 'pets'), { samples: 3, label: (name) => name.slice(-5, -4) }).columns()
    expect(y!.data).toEqual(['1', '2'])
  })

  it('has files that are links', async () => {
    write('linked/cat/1.wav', wav([0, 0x40]))
    symlinkSync(join(root, 'linked/cat/1.wav'), join(root, 'linked/cat/2.wav'))
    const { file } = await audioFolder(join(root, 'linked'), { samples: 1 }).columns()
    expect(file!.data).toEqual(['cat/1.wav', 'cat/2.wav'])
  })

  it('has the files that the filter chooses, and no other is read', async () => {
    write('some/cat/1.wav', wav([0, 0x40]))
    write('some/cat/2.wav', Buffer.from('damaged'))
    write('some/3.wav', wav([0, 0x40]))
    const read = (filter: (name: string) => boolean) =>
      audioFolder(join(root, 'some'), { samples: 1, filter }).columns()
    expect((await read((name) => name === 'cat/1.wav')).file!.data).toEqual(['cat/1.wav'])
    await expect(read(() => false)).rejects.toThrow(/filter leaves no file of .*some.*3 files, such as 3.wav/s)
  })

  it('is one clear error where it cannot be', async () => {
    write('mixed/a/1.wav', wav([0, 0]))
    write('mixed/a/2.wav', wav([0, 0], { rate: 16_000 }))
    write('flat/1.wav', wav([0, 0]))
    const read = (folder: string) => audioFolder(join(root, folder), { samples: 3 }).columns()
    await expect(read('mixed')).rejects.toThrow(/2.wav has another sample rate.*8000.*16000/s)
    await expect(read('flat')).rejects.toThrow(/has no class.*a subfolder for each class/s)
    await expect(read('nowhere')).rejects.toThrow(/cannot be read/)
    mkdirSync(join(root, 'empty'))
    await expect(read('empty')).rejects.toThrow(/holds no file of the kind/)
    expect(() => audioFolder(root, { samples: 0 })).toThrow(/samples of audioFolder/)
  })
})
