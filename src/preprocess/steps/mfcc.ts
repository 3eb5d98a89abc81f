/** Sounds as few numbers that hardly depend on each other. @module */

import { ConfigError, withDefaults } from '../../core/index.js'
import { mapNumbers, namesOf } from '../column-groups.js'
import { melPower, resolveSpectrum, type SpectrumOptions, spectrumDefaults } from '../spectrum.js'
import type { Step } from '../step.js'

/** Options of `mfcc`. */
export interface MfccOptions extends SpectrumOptions {
  /** Coefficients per frame, at most as many as there are bands. @default 13 */
  coefficients?: number
}

/** Loudness below the loudest band that still counts, in decibels. */
const RANGE_DB = 80
const QUIETEST = 1e-10

/**
 * Mel-frequency cepstral coefficients: the cosine transform (type 2, orthonormal) of the loudness of the mel bands in
 * decibels, cut off 80 dB below the loudest of the row; float32 `[rows, frames, coefficients]`. Nothing to fit.
 *
 * @param columns - Columns `[rows, samples]`, as `sources.audioFolder` gives them.
 * @see Davis and Mermelstein 1980, https://doi.org/10.1109/TASSP.1980.1163420
 */
export function mfcc(columns: string | readonly string[], options: MfccOptions): Step {
  const { coefficients, ...spectrum } = withDefaults('mfcc', options, { ...spectrumDefaults, coefficients: 13 })
  const names = namesOf(columns)
  const settings = resolveSpectrum('mfcc', spectrum)
  const { mels } = settings
  if (!Number.isInteger(coefficients) || coefficients < 1 || coefficients > mels)
    throw new ConfigError('coefficients of mfcc is out of range.', {
      expected: `a whole number from 1 to ${mels}, the number of bands`,
      received: coefficients,
    })
  return {
    kind: 'mfcc',
    options: { columns: names, ...settings, coefficients },
    reads: names,
    makes: names,
    takes: 'numbers',
    gives: 'numbers',
    apply(columns) {
      const basis = cosineBasis(coefficients, mels)
      return mapNumbers(columns, names, 'mfcc', (sounds, shape, column) => {
        const { values, rows, frames } = melPower(sounds, shape, { column, kind: 'mfcc', settings })
        const data = new Float32Array(rows * frames * coefficients)
        const rowSize = frames * mels
        for (let row = 0; row < rows; row++) {
          const decibels = loudness(values.subarray(row * rowSize, (row + 1) * rowSize))
          for (let frame = 0; frame < frames; frame++)
            for (let c = 0; c < coefficients; c++) {
              let sum = 0
              for (let m = 0; m < mels; m++) sum += basis[c]![m]! * decibels[frame * mels + m]!
              data[(row * frames + frame) * coefficients + c] = sum
            }
        }
        return { data, shape: [rows, frames, coefficients] }
      })
    },
  }
}

function loudness(powers: Float64Array): Float64Array {
  const decibels = powers.map((power) => 10 * Math.log10(Math.max(QUIETEST, power)))
  const least = decibels.reduce((most, value) => Math.max(most, value), -Infinity) - RANGE_DB
  return decibels.map((value) => Math.max(value, least))
}

function cosineBasis(coefficients: number, mels: number): Float64Array[] {
  return Array.from({ length: coefficients }, (_, c) =>
    Float64Array.from(
      { length: mels },
      (_, m) => Math.sqrt((c === 0 ? 1 : 2) / mels) * Math.cos((Math.PI / mels) * (m + 0.5) * c),
    ),
  )
}
