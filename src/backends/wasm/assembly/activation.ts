// Activations: clips that are folded into a store, and sigmoid and tanh, row by row in place. Codes as in ../exports.ts.

import { clip, loadLanes, splat, storeLanes } from './simd'
import { unary } from './unary'

/** What a clip to relu or relu6 starts at. */
// @ts-ignore: decorator
@inline
export function lowest(activation: i32): f32 {
  return activation == 1 || activation == 2 ? <f32>0 : -Infinity
}

/** What a clip to relu6 ends at. */
// @ts-ignore: decorator
@inline
export function highest(activation: i32): f32 {
  return activation == 2 ? <f32>6 : Infinity
}

/** Sigmoid or tanh; rowStride in bytes. */
export function activateRows(activation: i32, out: usize, rowStride: usize, rows: i32, columns: i32): void {
  const code = activation == 3 ? 10 : 11
  for (let r = 0; r < rows; r++) {
    unary(code, out, out, columns, 0, 0)
    out += rowStride
  }
}

/** See ../exports.ts. */
export function biasActivate(
  x: usize,
  bias: usize,
  activation: i32,
  rows: i32,
  columns: i32,
  rowStride: i32,
): void {
  const lo = splat(lowest(activation))
  const hi = splat(highest(activation))
  const zero = splat(0)
  const pitch = <usize>rowStride << 2
  let row: usize = x
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c += 4) {
      const i = <usize>c << 2
      const count = columns - c
      const sum = f32x4.add(loadLanes(row + i, count), bias ? loadLanes(bias + i, count) : zero)
      storeLanes(row + i, clip(sum, lo, hi), count)
    }
    row += pitch
  }
  if (activation > 2) activateRows(activation, x, pitch, rows, columns)
}
