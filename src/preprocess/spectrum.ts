/** Spectra of audio on the scale of human hearing. @module */

import { ConfigError, checkWhole, RealFourier, ShapeError, type TypedArray, withDefaults } from '../core/index.js'

/** How a spectrum is taken. */
export interface SpectrumOptions {
  /** Samples per second. */
  sampleRate: number
  /** Samples of each frame, a power of two. @default 512 */
  frameLength?: number
  /** Samples from one frame to the next. @default half a frame */
  hop?: number
  /** Bands, from 0 Hz to half the sample rate, equally wide in mel. @default 40 */
  mels?: number
}

/** The options, complete. */
export type SpectrumSettings = Required<SpectrumOptions>

/** Those that have a default of their own. */
export const spectrumDefaults = { sampleRate: undefined, frameLength: 512, hop: undefined, mels: 40 } as const

/** @throws {ConfigError} if an option is out of range. */
export function resolveSpectrum(kind: string, given: SpectrumOptions): SpectrumSettings {
  const { sampleRate, frameLength, mels, ...options } = withDefaults(kind, given, spectrumDefaults)
  const { hop = frameLength / 2 } = options
  if (!(sampleRate > 0))
    throw new ConfigError(`sampleRate of ${kind} is out of range.`, {
      expected: 'samples per second, above 0',
      received: sampleRate,
    })
  if (!Number.isInteger(Math.log2(frameLength)) || frameLength < 2)
    throw new ConfigError(`frameLength of ${kind} is out of range.`, {
      expected: 'a power of two',
      received: frameLength,
    })
  for (const [name, value] of Object.entries({ hop, mels })) checkWhole(`${name} of ${kind}`, value)
  return { sampleRate, frameLength, hop, mels }
}

/**
 * Power in each mel band of each frame. Frames are centred on every `hop`th sample, the signal reflected at its ends,
 * under a Hann window: as torchaudio's MelSpectrogram does by default.
 *
 * @param data - Of a column `[rows, samples]`. @param column - Its name.
 * @returns `[rows, frames, mels]`, frames = 1 + floor(samples / hop).
 */
export function melPower(
  data: TypedArray,
  shape: readonly number[],
  { column, kind, settings }: { column: string; kind: string; settings: SpectrumSettings },
) {
  const { frameLength, hop, mels } = settings
  const samples = shape[1] ?? 0
  if (shape.length !== 2 || samples <= frameLength / 2)
    throw new ShapeError(`${kind} needs a sound per row in the column "${column}".`, {
      expected: `[rows, samples], more than ${frameLength / 2} samples`,
      received: shape,
    })
  const rows = shape[0]!
  const frames = 1 + Math.floor(samples / hop)
  const fourier = new RealFourier(frameLength)
  const window = Float64Array.from(
    { length: frameLength },
    (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / frameLength),
  )
  const filters = melFilters(settings)
  const frame = new Float64Array(frameLength)
  const power = new Float64Array(frameLength / 2 + 1)
  const values = new Float64Array(rows * frames * mels)
  for (let row = 0, place = 0; row < rows; row++)
    for (let f = 0; f < frames; f++) {
      const start = f * hop - frameLength / 2
      for (let i = 0; i < frameLength; i++) frame[i] = window[i]! * data[row * samples + reflected(start + i, samples)]!
      fourier.power(frame, power)
      for (const { from, weights } of filters) {
        let sum = 0
        for (let k = 0; k < weights.length; k++) sum += weights[k]! * power[from + k]!
        values[place++] = sum
      }
    }
  return { values, rows, frames }
}

/** Index of the sample that stands for one beyond an end. */
function reflected(index: number, length: number): number {
  if (index < 0) return -index
  return index < length ? index : 2 * (length - 1) - index
}

interface Filter {
  /** First frequency with a weight. */
  from: number
  weights: Float64Array
}

/** Triangles over the frequencies, on the scale of O'Shaughnessy 1987: mel = 2595 log10(1 + Hz / 700). */
function melFilters({ sampleRate, frameLength, mels }: SpectrumSettings): Filter[] {
  const most = 2595 * Math.log10(1 + sampleRate / 2 / 700)
  const corners = Array.from({ length: mels + 2 }, (_, i) => 700 * (10 ** ((most * i) / (mels + 1) / 2595) - 1))
  return Array.from({ length: mels }, (_, m) => {
    const [low, middle, high] = corners.slice(m) as [number, number, number]
    const weights = Array.from({ length: frameLength / 2 + 1 }, (_, k) => {
      const hertz = (k * sampleRate) / frameLength
      return Math.max(0, Math.min((hertz - low) / (middle - low), (high - hertz) / (high - middle)))
    })
    const from = Math.max(
      0,
      weights.findIndex((weight) => weight > 0),
    )
    const to = weights.findLastIndex((weight) => weight > 0)
    return { from, weights: Float64Array.from(weights.slice(from, to + 1)) }
  })
}
