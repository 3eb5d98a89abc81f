// The transforms of winograd.ts, four channels at a time. Each is a product from both sides with a small matrix:
// of 4 x 4 pixels to 16 planes (B), of 3 x 3 taps to 16 planes and back (G), of 16 planes to 2 x 2 pixels and back (A).

import { clip, splat } from './simd'

/** 16 planes lie `plane` bytes apart; k = 4 * row + column. */
// @ts-ignore: decorator
@inline
function storeRow(to: usize, plane: usize, row: usize, x0: v128, x1: v128, x2: v128, x3: v128): void {
  to += row * 4 * plane
  v128.store(to, x0)
  v128.store(to + plane, x1)
  v128.store(to + 2 * plane, x2)
  v128.store(to + 3 * plane, x3)
}

// @ts-ignore: decorator
@inline
function add(a: v128, b: v128): v128 {
  return f32x4.add(a, b)
}

// @ts-ignore: decorator
@inline
function sub(a: v128, b: v128): v128 {
  return f32x4.sub(a, b)
}

/** The i-th of 16 pixels whose addresses stand in a table. */
// @ts-ignore: decorator
@inline
function pixel(table: usize, i: usize, offset: usize): v128 {
  return v128.load(load<usize>(table + i * sizeof<usize>()) + offset)
}

/** 4 x 4 pixels to one place of each plane. */
export function imageToPlanes(table: usize, to: usize, plane: usize, channels: i32): void {
  for (let i: usize = 0; i < <usize>channels << 2; i += 16) {
    // Down the columns, B's rows being 1 0 -1 0, 0 1 1 0, 0 -1 1 0, 0 1 0 -1.
    let p = pixel(table, 0, i), q = pixel(table, 4, i), r = pixel(table, 8, i), s = pixel(table, 12, i)
    const a0 = sub(p, r), b0 = add(q, r), c0 = sub(r, q), d0 = sub(q, s)
    p = pixel(table, 1, i); q = pixel(table, 5, i); r = pixel(table, 9, i); s = pixel(table, 13, i)
    const a1 = sub(p, r), b1 = add(q, r), c1 = sub(r, q), d1 = sub(q, s)
    p = pixel(table, 2, i); q = pixel(table, 6, i); r = pixel(table, 10, i); s = pixel(table, 14, i)
    const a2 = sub(p, r), b2 = add(q, r), c2 = sub(r, q), d2 = sub(q, s)
    p = pixel(table, 3, i); q = pixel(table, 7, i); r = pixel(table, 11, i); s = pixel(table, 15, i)
    const a3 = sub(p, r), b3 = add(q, r), c3 = sub(r, q), d3 = sub(q, s)
    storeRow(to + i, plane, 0, sub(a0, a2), add(a1, a2), sub(a2, a1), sub(a1, a3))
    storeRow(to + i, plane, 1, sub(b0, b2), add(b1, b2), sub(b2, b1), sub(b1, b3))
    storeRow(to + i, plane, 2, sub(c0, c2), add(c1, c2), sub(c2, c1), sub(c1, c3))
    storeRow(to + i, plane, 3, sub(d0, d2), add(d1, d2), sub(d2, d1), sub(d1, d3))
  }
}

/** One place of each plane to 2 x 2 outputs; `right` and `below` are 0 where there is no such output. */
export function planesToOutputs(
  from: usize,
  plane: usize,
  out: usize,
  right: usize,
  below: usize,
  channels: i32,
  bias: usize,
  lowest: f32,
  highest: f32,
): void {
  const lo = splat(lowest)
  const hi = splat(highest)
  for (let i: usize = 0; i < <usize>channels << 2; i += 16) {
    let p = v128.load(from + i), q = v128.load(from + i + 4 * plane)
    let r = v128.load(from + i + 8 * plane), s = v128.load(from + i + 12 * plane)
    // A's rows are 1 1 1 0 and 0 1 -1 -1.
    const a0 = add(add(p, q), r), b0 = sub(sub(q, r), s)
    p = v128.load(from + i + plane); q = v128.load(from + i + 5 * plane)
    r = v128.load(from + i + 9 * plane); s = v128.load(from + i + 13 * plane)
    const a1 = add(add(p, q), r), b1 = sub(sub(q, r), s)
    p = v128.load(from + i + 2 * plane); q = v128.load(from + i + 6 * plane)
    r = v128.load(from + i + 10 * plane); s = v128.load(from + i + 14 * plane)
    const a2 = add(add(p, q), r), b2 = sub(sub(q, r), s)
    p = v128.load(from + i + 3 * plane); q = v128.load(from + i + 7 * plane)
    r = v128.load(from + i + 11 * plane); s = v128.load(from + i + 15 * plane)
    const a3 = add(add(p, q), r), b3 = sub(sub(q, r), s)
    const start = bias ? v128.load(bias + i) : splat(0)
    const to: usize = out + i
    v128.store(to, clip(add(start, add(add(a0, a1), a2)), lo, hi))
    if (right) v128.store(to + right, clip(add(start, sub(sub(a1, a2), a3)), lo, hi))
    if (below) {
      v128.store(to + below, clip(add(start, add(add(b0, b1), b2)), lo, hi))
      if (right) v128.store(to + below + right, clip(add(start, sub(sub(b1, b2), b3)), lo, hi))
    }
  }
}

/** 2 x 2 gradients of outputs, whose addresses stand in a table, to one place of each plane. */
export function outputsToPlanes(table: usize, to: usize, plane: usize, channels: i32): void {
  for (let i: usize = 0; i < <usize>channels << 2; i += 16) {
    const a0 = pixel(table, 0, i), a1 = pixel(table, 1, i), d0 = pixel(table, 2, i), d1 = pixel(table, 3, i)
    const b0 = add(a0, d0), b1 = add(a1, d1), c0 = sub(a0, d0), c1 = sub(a1, d1)
    storeRow(to + i, plane, 0, a0, add(a0, a1), sub(a0, a1), f32x4.neg(a1))
    storeRow(to + i, plane, 1, b0, add(b0, b1), sub(b0, b1), f32x4.neg(b1))
    storeRow(to + i, plane, 2, c0, add(c0, c1), sub(c0, c1), f32x4.neg(c1))
    storeRow(to + i, plane, 3, f32x4.neg(d0), f32x4.neg(add(d0, d1)), sub(d1, d0), d1)
  }
}

/** 3 x 3 taps of n floats each to 16 planes; a negative tap step turns the filter round. */
export function filterToPlanes(filter: usize, tapStep: isize, to: usize, plane: usize, n: i32): void {
  const half = splat(0.5)
  for (let i: usize = 0; i < <usize>n << 2; i += 16) {
    for (let row: usize = 0; row < 4; row++) {
      const x0 = gatherTaps(filter + i, tapStep, row, half)
      const x1 = gatherTaps(filter + i + tapStep, tapStep, row, half)
      const x2 = gatherTaps(filter + i + 2 * tapStep, tapStep, row, half)
      const outer = f32x4.mul(add(x0, x2), half)
      const inner = f32x4.mul(x1, half)
      storeRow(to + i, plane, row, x0, add(outer, inner), sub(outer, inner), x2)
    }
  }
}

/** A row of G, which are 1 0 0, 1/2 1/2 1/2, 1/2 -1/2 1/2, 0 0 1, times a column of taps. */
// @ts-ignore: decorator
@inline
function gatherTaps(filter: usize, tapStep: isize, row: usize, half: v128): v128 {
  const first = v128.load(filter)
  if (row == 0) return first
  const last = v128.load(filter + 6 * tapStep)
  if (row == 3) return last
  const outer = add(first, last)
  const middle = v128.load(filter + 3 * tapStep)
  return f32x4.mul(row == 1 ? add(outer, middle) : sub(outer, middle), half)
}

/** The gradient's 16 planes to that of 3 x 3 taps. */
export function planesToFilter(from: usize, plane: usize, filter: usize, tapStep: usize, n: i32): void {
  for (let i: usize = 0; i < <usize>n << 2; i += 16) {
    for (let column: usize = 0; column < 3; column++) {
      const x0 = gatherPlanes(from + i, plane, column)
      const x1 = gatherPlanes(from + i + 4 * plane, plane, column)
      const x2 = gatherPlanes(from + i + 8 * plane, plane, column)
      const x3 = gatherPlanes(from + i + 12 * plane, plane, column)
      const to: usize = filter + i + column * tapStep
      const outer = f32x4.mul(add(x1, x2), splat(0.5))
      v128.store(to, add(x0, outer))
      v128.store(to + 3 * tapStep, f32x4.mul(sub(x1, x2), splat(0.5)))
      v128.store(to + 6 * tapStep, add(outer, x3))
    }
  }
}

/** A column of G times a row of planes. */
// @ts-ignore: decorator
@inline
function gatherPlanes(from: usize, plane: usize, column: usize): v128 {
  const x1 = v128.load(from + plane)
  const x2 = v128.load(from + 2 * plane)
  if (column == 1) return f32x4.mul(sub(x1, x2), splat(0.5))
  return add(f32x4.mul(add(x1, x2), splat(0.5)), v128.load(column == 0 ? from : from + 3 * plane))
}
