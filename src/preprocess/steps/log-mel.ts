/** Sounds as pictures: how loud each band is over time. @module */

import { mapNumbers, namesOf } from '../column-groups.js'
import { melPower, resolveSpectrum, type SpectrumOptions } from '../spectrum.js'
import type { Step } from '../step.js'

/** Power below which a band is silent: -60 dB of a full sine wave in one frame. */
const SILENCE = 1e-6

/**
 * The logarithm of the power in each mel band, ln(power + 1e-6), float32 `[rows, frames, mels]`. Nothing to fit: put
 * `standardize(..., { per: 'channel' })` behind it.
 *
 * @param columns - Columns `[rows, samples]`, as `sources.audioFolder` gives them.
 * @example
 * new Preprocessor([logMel('x', { sampleRate: 8000 }), standardize('x', { per: 'channel' }), ordinal('y')])
 */
export function logMel(columns: string | readonly string[], options: SpectrumOptions): Step {
  const names = namesOf(columns)
  const settings = resolveSpectrum('logMel', options)
  return {
    kind: 'logMel',
    options: { columns: names, ...settings },
    reads: names,
    makes: names,
    takes: 'numbers',
    gives: 'numbers',
    apply(columns) {
      return mapNumbers(columns, names, 'logMel', (data, shape, column) => {
        const { values, rows, frames } = melPower(data, shape, { column, kind: 'logMel', settings })
        const loudness = Float32Array.from(values, (power) => Math.log(power + SILENCE))
        return { data: loudness, shape: [rows, frames, settings.mels] }
      })
    },
  }
}
