/** Sounds in WAV files. @module */

import { readFile } from 'node:fs/promises'
import { DataError } from '../core/index.js'

/** A sound, its channels mixed to one. */
export interface Sound {
  /** -1 to 1. */
  samples: Float32Array
  /** Samples per second. */
  sampleRate: number
}

/** Codes of the sample formats in a `fmt ` chunk. */
const PCM = 1
const FLOAT = 3
const EXTENSIBLE = 0xfffe

interface Format {
  code: number
  channels: number
  sampleRate: number
  bits: number
}

/**
 * Reads a WAV file of PCM samples of 8, 16, 24 or 32 bits, or of floats of 32 or 64.
 *
 * @throws {DataError} that names the file, if it is none of these or is cut off.
 * @see Multimedia Programming Interface and Data Specifications 1.0, 1991
 */
export async function readWav(path: string): Promise<Sound> {
  let bytes: Uint8Array
  try {
    bytes = await readFile(path)
  } catch (cause) {
    throw new DataError(`${path} cannot be read: ${(cause as Error).message}`, { cause })
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 12 || nameAt(view, 0) !== 'RIFF' || nameAt(view, 8) !== 'WAVE')
    throw new DataError(`${path} is no WAV file.`, { expected: 'RIFF ... WAVE at its start' })
  let format: Format | undefined
  for (let at = 12; at + 8 <= bytes.length; ) {
    const name = nameAt(view, at)
    const size = view.getUint32(at + 4, true)
    const start = at + 8
    if (start + size > bytes.length && name !== 'data')
      throw new DataError(`${path} is cut off at byte ${bytes.length}.`, { expected: `${start + size} bytes` })
    if (name === 'fmt ') format = readFormat(view, start, size, path)
    if (name === 'data') {
      if (!format) throw new DataError(`${path} has samples before it says what they are.`)
      if (start + size > bytes.length)
        throw new DataError(`${path} is cut off at byte ${bytes.length}.`, {
          expected: `${start + size} bytes`,
          remedy: 'Write or fetch it again',
        })
      return { samples: mixed(view, start, size, format), sampleRate: format.sampleRate }
    }
    // Chunks begin at even bytes.
    at = start + size + (size % 2)
  }
  throw new DataError(`${path} has no samples.`, { expected: "a chunk named 'data'" })
}

function readFormat(view: DataView, start: number, size: number, path: string): Format {
  if (size < 16) throw new DataError(`${path} has no proper header.`, { expected: '16 bytes', received: size })
  const code = view.getUint16(start, true)
  const format = {
    code: code === EXTENSIBLE && size >= 26 ? view.getUint16(start + 24, true) : code,
    channels: view.getUint16(start + 2, true),
    sampleRate: view.getUint32(start + 4, true),
    bits: view.getUint16(start + 14, true),
  }
  const isKnown =
    (format.code === PCM && [8, 16, 24, 32].includes(format.bits)) ||
    (format.code === FLOAT && [32, 64].includes(format.bits))
  if (!isKnown || format.channels === 0)
    throw new DataError(`${path} has samples of an unknown kind.`, {
      expected: 'PCM of 8, 16, 24 or 32 bits, or floats of 32 or 64 bits',
      received: `code ${format.code}, ${format.bits} bits, ${format.channels} channels`,
      remedy: 'Convert it, for instance by: sox in.wav -b 16 out.wav',
    })
  return format
}

function mixed(view: DataView, start: number, size: number, { code, channels, bits }: Format): Float32Array {
  const width = bits / 8
  const read = readerOf(view, code, bits)
  const samples = new Float32Array(Math.floor(size / (width * channels)))
  for (let i = 0; i < samples.length; i++) {
    let sum = 0
    for (let channel = 0; channel < channels; channel++) sum += read(start + (i * channels + channel) * width)
    samples[i] = sum / channels
  }
  return samples
}

function readerOf(view: DataView, code: number, bits: number): (at: number) => number {
  if (code === FLOAT) return (at) => (bits === 32 ? view.getFloat32(at, true) : view.getFloat64(at, true))
  switch (bits) {
    case 8:
      return (at) => (view.getUint8(at) - 128) / 128
    case 16:
      return (at) => view.getInt16(at, true) / 2 ** 15
    case 24:
      return (at) => ((view.getInt8(at + 2) << 16) | view.getUint16(at, true)) / 2 ** 23
    default:
      return (at) => view.getInt32(at, true) / 2 ** 31
  }
}

const nameAt = (view: DataView, at: number) =>
  String.fromCharCode(view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2), view.getUint8(at + 3))
