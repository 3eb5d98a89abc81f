// Activations that matMul cannot fold into its clip: sigmoid and tanh, row by row in place.

import { unary } from './unary'

/** Codes as in ../exports.ts; rowStride in bytes. */
export function activateRows(activation: i32, out: usize, rowStride: usize, rows: i32, columns: i32): void {
  const code = activation == 3 ? 10 : 11
  for (let r = 0; r < rows; r++) {
    unary(code, out, out, columns, 0, 0)
    out += rowStride
  }
}

/** All of them over n floats in place. */
export function activate(activation: i32, out: usize, n: i32): void {
  if (activation == 1) unary(12, out, out, n, 0, 0)
  else if (activation == 2) unary(13, out, out, n, 0, 0)
  else if (activation > 2) activateRows(activation, out, 0, 1, n)
}
