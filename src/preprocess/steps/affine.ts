/** The common form of steps that shift and scale each value. @module */

import type { TypedArray } from '../../core/index.js'
import { blocksOf, mapRow, type Per, writeValues } from '../column-groups.js'
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
      return writeValues(columns, names, kind, (name) => {
        const { shift, scale } = (fitted as unknown as AffineByColumn)[name]!
        const groups = shift.length
        const write = (data: TypedArray, values: Float32Array) => {
          let from = 0
          for (const block of blocksOf(data, groups)) {
            scaleBlock(block, values.subarray(from, from + block.length), shift, scale)
            from += block.length
          }
        }
        return { groups, write }
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

/** Group by group: the two numbers of a group stay in registers. */
function scaleBlock(data: TypedArray, values: Float32Array, shifts: number[], scales: number[]): void {
  const groups = shifts.length
  for (let group = 0; group < groups; group++) {
    const shift = shifts[group]!
    const scale = scales[group]!
    for (let i = group; i < data.length; i += groups) values[i] = (data[i]! - shift) / scale
  }
}
