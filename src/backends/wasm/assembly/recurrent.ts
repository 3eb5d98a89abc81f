// What is left of recurrent cells beside their products: the gates, element by element, and their gradients.

import { tanh4 } from './exponential'
import { fma, loadLanes, ONE, splat, spread, storeLanes } from './simd'
import { unary } from './unary'

// Codes of ../exports.ts.
const SIGMOID = 10
const TANH = 11
const CLIP = 27
const AFFINE = 36

const FIFTH = memory.data<f32>([0.2])

/** Sigmoid of n floats in place, or its hard form: 0.2 x + 0.5 from 0 to 1. */
function gate(x: usize, n: i32, isHard: i32): void {
  if (!isHard) return unary(SIGMOID, x, x, n, 0, 0)
  unary(AFFINE, x, x, n, 0.2, 0.5)
  unary(CLIP, x, x, n, 0, 1)
}

/** out = a + b, n floats. */
function sum(a: usize, b: usize, out: usize, n: i32): void {
  for (; n > 0; n -= 4) {
    storeLanes(out, f32x4.add(loadLanes(a, n), loadLanes(b, n)), n)
    a += 16
    b += 16
    out += 16
  }
}

/** Slope of a gate whose result is y. */
// @ts-ignore: decorator
@inline
function slope(y: v128, isHard: i32): v128 {
  if (!isHard) return f32x4.mul(y, f32x4.sub(spread(ONE), y))
  return v128.and(spread(FIFTH), v128.and(f32x4.gt(y, splat(0)), f32x4.lt(y, spread(ONE))))
}

/** Slope of a tanh whose result is y. */
// @ts-ignore: decorator
@inline
function tanhSlope(y: v128): v128 {
  return f32x4.sub(spread(ONE), f32x4.mul(y, y))
}

/** See ../exports.ts. */
export function lstmCell(
  x: usize,
  recurrent: usize,
  carry: usize,
  h: usize,
  newCarry: usize,
  gates: usize,
  rows: i32,
  units: i32,
  isHard: i32,
): void {
  const pitch: usize = <usize>units << 2
  // Function by function over a row, which stays in the first-level cache.
  for (; rows > 0; rows--) {
    const fresh: usize = gates + 2 * pitch
    const open: usize = gates + 3 * pitch
    sum(x, recurrent, gates, 4 * units)
    gate(gates, 2 * units, isHard)
    unary(TANH, fresh, fresh, units, 0, 0)
    gate(open, units, isHard)
    for (let c = 0; c < units; c += 4) {
      const at: usize = <usize>c << 2
      const n = units - c
      const kept = f32x4.mul(loadLanes(gates + pitch + at, n), loadLanes(carry + at, n))
      storeLanes(newCarry + at, fma(loadLanes(gates + at, n), loadLanes(fresh + at, n), kept), n)
    }
    unary(TANH, newCarry, h, units, 0, 0)
    for (let c = 0; c < units; c += 4) {
      const at: usize = <usize>c << 2
      storeLanes(h + at, f32x4.mul(loadLanes(open + at, units - c), loadLanes(h + at, units - c)), units - c)
    }
    x += 4 * pitch
    recurrent += 4 * pitch
    gates += 4 * pitch
    carry += pitch
    newCarry += pitch
    h += pitch
  }
}

/** See ../exports.ts. */
export function lstmCellGrad(
  dh: usize,
  dNewCarry: usize,
  carry: usize,
  newCarry: usize,
  gates: usize,
  dx: usize,
  dCarry: usize,
  rows: i32,
  units: i32,
  isHard: i32,
): void {
  const pitch: usize = <usize>units << 2
  for (; rows > 0; rows--) {
    for (let n = units; n > 0; n -= 4) {
      const i = loadLanes(gates, n)
      const f = loadLanes(gates + pitch, n)
      const g = loadLanes(gates + 2 * pitch, n)
      const o = loadLanes(gates + 3 * pitch, n)
      const t = tanh4(loadLanes(newCarry, n))
      const dy = loadLanes(dh, n)
      const dc = fma(f32x4.mul(dy, o), tanhSlope(t), loadLanes(dNewCarry, n))
      storeLanes(dx, f32x4.mul(f32x4.mul(dc, g), slope(i, isHard)), n)
      storeLanes(dx + pitch, f32x4.mul(f32x4.mul(dc, loadLanes(carry, n)), slope(f, isHard)), n)
      storeLanes(dx + 2 * pitch, f32x4.mul(f32x4.mul(dc, i), tanhSlope(g)), n)
      storeLanes(dx + 3 * pitch, f32x4.mul(f32x4.mul(dy, t), slope(o, isHard)), n)
      storeLanes(dCarry, f32x4.mul(dc, f), n)
      const step: usize = <usize>min(n, 4) << 2
      dh += step
      dNewCarry += step
      carry += step
      newCarry += step
      gates += step
      dx += step
      dCarry += step
    }
    gates += 3 * pitch
    dx += 3 * pitch
  }
}

/** See ../exports.ts. */
export function gruGates(
  x: usize,
  recurrent: usize,
  h: usize,
  update: usize,
  reset: usize,
  kept: usize,
  candidate: usize,
  rows: i32,
  units: i32,
  isHard: i32,
): void {
  const pitch: usize = <usize>units << 2
  for (; rows > 0; rows--) {
    sum(x, recurrent, update, units)
    sum(x + pitch, recurrent + pitch, reset, units)
    gate(update, units, isHard)
    gate(reset, units, isHard)
    for (let c = 0; c < units; c += 4) {
      const at: usize = <usize>c << 2
      storeLanes(kept + at, f32x4.mul(loadLanes(reset + at, units - c), loadLanes(h + at, units - c)), units - c)
    }
    memory.copy(candidate, x + 2 * pitch, pitch)
    x += 3 * pitch
    recurrent += 2 * pitch
    h += pitch
    update += pitch
    reset += pitch
    kept += pitch
    candidate += pitch
  }
}

/** See ../exports.ts. */
export function gruGatesGrad(
  dUpdate: usize,
  dKept: usize,
  dCandidate: usize,
  h: usize,
  update: usize,
  reset: usize,
  dx: usize,
  dRecurrent: usize,
  dh: usize,
  rows: i32,
  units: i32,
  isHard: i32,
): void {
  const pitch: usize = <usize>units << 2
  for (; rows > 0; rows--) {
    for (let n = units; n > 0; n -= 4) {
      const r = loadLanes(reset, n)
      const dk = loadLanes(dKept, n)
      const dz = f32x4.mul(loadLanes(dUpdate, n), slope(loadLanes(update, n), isHard))
      const dr = f32x4.mul(f32x4.mul(dk, loadLanes(h, n)), slope(r, isHard))
      storeLanes(dx, dz, n)
      storeLanes(dx + pitch, dr, n)
      storeLanes(dx + 2 * pitch, loadLanes(dCandidate, n), n)
      storeLanes(dRecurrent, dz, n)
      storeLanes(dRecurrent + pitch, dr, n)
      storeLanes(dh, f32x4.mul(dk, r), n)
      const step: usize = <usize>min(n, 4) << 2
      dUpdate += step
      dKept += step
      dCandidate += step
      h += step
      update += step
      reset += step
      dx += step
      dRecurrent += step
      dh += step
    }
    dx += 2 * pitch
    dRecurrent += pitch
  }
}

/** See ../exports.ts. */
export function gruState(
  candidate: usize,
  recurrent: usize,
  update: usize,
  h: usize,
  newH: usize,
  fresh: usize,
  n: i32,
): void {
  sum(candidate, recurrent, fresh, n)
  unary(TANH, fresh, fresh, n, 0, 0)
  for (; n > 0; n -= 4) {
    const y = loadLanes(fresh, n)
    const z = loadLanes(update, n)
    storeLanes(newH, fma(z, loadLanes(h, n), f32x4.mul(f32x4.sub(spread(ONE), z), y)), n)
    update += 16
    h += 16
    newH += 16
    fresh += 16
  }
}

/** See ../exports.ts. */
export function gruStateGrad(
  dNewH: usize,
  update: usize,
  h: usize,
  fresh: usize,
  dCandidate: usize,
  dUpdate: usize,
  dh: usize,
  n: i32,
): void {
  for (; n > 0; n -= 4) {
    const dy = loadLanes(dNewH, n)
    const z = loadLanes(update, n)
    const y = loadLanes(fresh, n)
    storeLanes(dCandidate, f32x4.mul(f32x4.mul(dy, f32x4.sub(spread(ONE), z)), tanhSlope(y)), n)
    storeLanes(dUpdate, f32x4.mul(dy, f32x4.sub(loadLanes(h, n), y)), n)
    storeLanes(dh, f32x4.mul(dy, z), n)
    dNewH += 16
    update += 16
    h += 16
    fresh += 16
    dCandidate += 16
    dUpdate += 16
    dh += 16
  }
}
