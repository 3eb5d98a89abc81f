import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { RealFourier } from '../../../src/core/index.js'
import { logMel, mfcc, Preprocessor, type Step } from '../../../src/preprocess/index.js'

const golden = JSON.parse(readFileSync(new URL('../../golden/torchaudio/spectra.json', import.meta.url), 'utf8')) as {
  sounds: number[][]
  logMel: number[][][]
  mfcc: number[][][]
}
const options = { sampleRate: 8000, frameLength: 256, hop: 100, mels: 20 }

const sounds = {
  x: { data: Float32Array.from(golden.sounds.flat()), shape: [golden.sounds.length, golden.sounds[0]!.length] },
}

it.each([
  ['logMel', logMel('x', options), golden.logMel],
  ['mfcc', mfcc('x', { ...options, coefficients: 9 }), golden.mfcc],
] as [string, Step, number[][][]][])('%s agrees with torchaudio', (_, step, expected) => {
  const { data, shape } = new Preprocessor([step]).transformColumns(sounds).x!
  expect(shape).toEqual([expected.length, expected[0]!.length, expected[0]![0]!.length])
  expected.flat(2).forEach((value, i) => {
    expect(Math.abs((data[i] as number) - value)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(value)))
  })
})

it('the Fourier transform is the sum that defines it', () => {
  const signal = Float64Array.from({ length: 32 }, (_, i) => Math.sin(i * i) + 0.3)
  const power = new Float64Array(17)
  new RealFourier(32).power(signal, power)
  power.forEach((value, k) => {
    let [real, imaginary] = [0, 0]
    signal.forEach((sample, i) => {
      real += sample * Math.cos((2 * Math.PI * i * k) / 32)
      imaginary += sample * Math.sin((2 * Math.PI * i * k) / 32)
    })
    expect(value).toBeCloseTo(real ** 2 + imaginary ** 2, 10)
  })
  expect(() => new RealFourier(24)).toThrow(/a power of two/)
})

describe('one clear error for', () => {
  it.each([
    ['no sample rate', () => logMel('x', { sampleRate: 0 }), /sampleRate of logMel/],
    ['a frame of 300 samples', () => logMel('x', { sampleRate: 8000, frameLength: 300 }), /a power of two/],
    ['no hop', () => mfcc('x', { sampleRate: 8000, hop: 0 }), /hop of mfcc/],
    ['no bands', () => logMel('x', { sampleRate: 8000, mels: 0 }), /mels of logMel/],
    ['more coefficients than bands', () => mfcc('x', { sampleRate: 8000, mels: 10 }), /from 1 to 10/],
  ])('%s', (_, make, message) => {
    expect(make).toThrow(message)
  })

  it('a sound that is too short, or none', () => {
    const short = { x: { data: new Float32Array(100), shape: [1, 100] } }
    expect(() => new Preprocessor([logMel('x', options)]).transformColumns(short)).toThrow(/more than 128 samples/)
    const numbers = { x: { data: new Float32Array(100), shape: [100] } }
    expect(() => new Preprocessor([logMel('x', options)]).transformColumns(numbers)).toThrow(/a sound per row/)
  })
})
