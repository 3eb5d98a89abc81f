// What one window of the image comes to: its maximum, its mean or its product with a filter.

import { clip, fma, loadLanes, splat, storeLanes } from './simd'

export class Max {}
export class Mean {}
export class Depthwise {}

// @ts-ignore: decorator
@inline
function begin<Op>(bias: usize, offset: usize, count: i32): v128 {
  if (idof<Op>() == idof<Max>()) return splat(-Infinity)
  return idof<Op>() == idof<Depthwise>() && bias ? loadLanes(bias + offset, count) : splat(0)
}

// @ts-ignore: decorator
@inline
function fold<Op>(sum: v128, x: v128, filter: usize, count: i32): v128 {
  // f32x4.max keeps NaN.
  if (idof<Op>() == idof<Max>()) return f32x4.max(sum, x)
  if (idof<Op>() == idof<Mean>()) return f32x4.add(sum, x)
  return fma(x, loadLanes(filter, count), sum)
}

// @ts-ignore: decorator
@inline
function finish<Op>(sum: v128, share: v128, lo: v128, hi: v128): v128 {
  if (idof<Op>() == idof<Max>()) return sum
  return idof<Op>() == idof<Mean>() ? f32x4.mul(sum, share) : clip(sum, lo, hi)
}

/** out = fold of rows x columns taps, the steps from tap to tap in bytes. */
export function foldWindow<Op>(
  x: usize,
  filter: usize,
  bias: usize,
  out: usize,
  rows: i32,
  columns: i32,
  rowStep: usize,
  step: usize,
  filterRow: usize,
  channels: i32,
  multiplier: i32,
  lowest: f32,
  highest: f32,
): void {
  const share = splat(1 / <f32>max(1, rows * columns))
  const tapBytes: usize = <usize>(channels * multiplier) << 2
  if (idof<Op>() == idof<Depthwise>() && multiplier > 1) {
    foldProducts(x, filter, bias, out, rows, columns, rowStep, step, filterRow, channels, multiplier, lowest, highest)
    return
  }
  const lo = splat(lowest)
  const hi = splat(highest)
  let c = 0
  for (; c + 16 <= channels; c += 16) {
    const i: usize = <usize>c << 2
    let s0 = begin<Op>(bias, i, 4), s1 = begin<Op>(bias, i + 16, 4)
    let s2 = begin<Op>(bias, i + 32, 4), s3 = begin<Op>(bias, i + 48, 4)
    let line: usize = x + i
    let filterLine: usize = filter + i
    for (let fh = rows; fh > 0; fh--) {
      let p: usize = line
      let f: usize = filterLine
      for (let fw = columns; fw > 0; fw--) {
        s0 = fold<Op>(s0, v128.load(p), f, 4)
        s1 = fold<Op>(s1, v128.load(p, 16), f + 16, 4)
        s2 = fold<Op>(s2, v128.load(p, 32), f + 32, 4)
        s3 = fold<Op>(s3, v128.load(p, 48), f + 48, 4)
        p += step
        f += tapBytes
      }
      line += rowStep
      filterLine += filterRow
    }
    v128.store(out + i, finish<Op>(s0, share, lo, hi))
    v128.store(out + i, finish<Op>(s1, share, lo, hi), 16)
    v128.store(out + i, finish<Op>(s2, share, lo, hi), 32)
    v128.store(out + i, finish<Op>(s3, share, lo, hi), 48)
  }
  for (; c < channels; c += 4) {
    const i: usize = <usize>c << 2
    const count = channels - c
    let sum = begin<Op>(bias, i, count)
    let line: usize = x + i
    let filterLine: usize = filter + i
    for (let fh = rows; fh > 0; fh--) {
      let p: usize = line
      let f: usize = filterLine
      for (let fw = columns; fw > 0; fw--) {
        sum = fold<Op>(sum, loadLanes(p, count), f, count)
        p += step
        f += tapBytes
      }
      line += rowStep
      filterLine += filterRow
    }
    storeLanes(out + i, finish<Op>(sum, share, lo, hi), count)
  }
}

/** A depthwise convolution with several outputs for each channel: four of them at a time. */
function foldProducts(
  x: usize,
  filter: usize,
  bias: usize,
  out: usize,
  rows: i32,
  columns: i32,
  rowStep: usize,
  step: usize,
  filterRow: usize,
  channels: i32,
  multiplier: i32,
  lowest: f32,
  highest: f32,
): void {
  const tapBytes: usize = <usize>(channels * multiplier) << 2
  for (let c = 0; c < channels; c++)
    for (let q = 0; q < multiplier; q += 4) {
      const i: usize = <usize>(c * multiplier + q) << 2
      const count = multiplier - q
      let sum = begin<Depthwise>(bias, i, count)
      let line: usize = x + (<usize>c << 2)
      let filterLine: usize = filter + i
      for (let fh = rows; fh > 0; fh--) {
        let p: usize = line
        let f: usize = filterLine
        for (let fw = columns; fw > 0; fw--) {
          sum = fold<Depthwise>(sum, v128.load32_splat(p), f, count)
          p += step
          f += tapBytes
        }
        line += rowStep
        filterLine += filterRow
      }
      storeLanes(out + i, clip(sum, splat(lowest), splat(highest)), count)
    }
}
