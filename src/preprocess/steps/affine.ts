/** The common form of steps that shift and scale each value. @module */

import { mapRow, mapValues, type Per } from '../column-groups.js'
import type { Fitting, Json, Step } from '../step.js'

/** What a column is shifted by and then divided by, per group. */
interface Affine {
  shift: number[]
  scale: number[]
}

/** What is fitted, by column. */
type AffineByColumn = Record<string, Affine>

/** (value - shift) / scale, as float32, and its inverse. NaN stays NaN. */
export function affine(
  kind: string,
  names: readonly string[],
  options: { per: Per; [key: string]: Json | undefined },
  fitting: Fitting<unknown>,
): Step {
  return {
    kind,
    options: { columns: [...names], ...options },
    reads: names,
    makes: names,
    takes: 'numbers',
    gives: 'numbers',
    fitting,
    apply(columns, fitted) {
      return mapValues(columns, names, kind, (name) => {
        const { shift, scale } = (fitted as unknown as AffineByColumn)[name]!
        return { groups: shift.length, map: (value, g) => (value - shift[g]!) / scale[g]! }
      })
    },
    inverse(row, fitted) {
      return mapRow(row, names, (name) => {
        const { shift, scale } = (fitted as unknown as AffineByColumn)[name]!
        return { groups: shift.length, map: (value, g) => value * scale[g]! + shift[g]! }
      })
    },
  }
}
