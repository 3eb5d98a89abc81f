// Gradients of one window: what its output's gradient adds to the image or to the filter.

import { fma, loadLanes, splat, storeLanes, sumOfLanes } from './simd'

export class MeanGrad {}
export class DepthwiseInputGrad {}
export class DepthwiseFilterGrad {}

/** Adds dy, times the filter or the image, to one tap. */
// @ts-ignore: decorator
@inline
function addTap<Op>(x: usize, filter: usize, dy: v128, count: i32): void {
  if (idof<Op>() == idof<MeanGrad>()) storeLanes(x, f32x4.add(loadLanes(x, count), dy), count)
  else if (idof<Op>() == idof<DepthwiseInputGrad>())
    storeLanes(x, fma(loadLanes(filter, count), dy, loadLanes(x, count)), count)
  else storeLanes(filter, fma(loadLanes(x, count), dy, loadLanes(filter, count)), count)
}

/** As `addTap` for several outputs of one channel. */
// @ts-ignore: decorator
@inline
function addProducts<Op>(x: usize, filter: usize, dy: v128, count: i32): void {
  if (idof<Op>() == idof<DepthwiseInputGrad>())
    store<f32>(x, load<f32>(x) + sumOfLanes(f32x4.mul(loadLanes(filter, count), dy)))
  else storeLanes(filter, fma(v128.load32_splat(x), dy, loadLanes(filter, count)), count)
}

/** A share of dy for a mean, else dy. */
// @ts-ignore: decorator
@inline
function gradient<Op>(dy: v128, share: v128): v128 {
  return idof<Op>() == idof<MeanGrad>() ? f32x4.mul(dy, share) : dy
}

/** Over rows x columns taps, the steps from tap to tap in bytes. */
export function spreadWindow<Op>(
  x: usize,
  filter: usize,
  dy: usize,
  rows: i32,
  columns: i32,
  rowStep: usize,
  step: usize,
  filterRow: usize,
  channels: i32,
  multiplier: i32,
): void {
  if (idof<Op>() != idof<MeanGrad>() && multiplier > 1) {
    spreadProducts<Op>(x, filter, dy, rows, columns, rowStep, step, filterRow, channels, multiplier)
    return
  }
  const share = splat(1 / <f32>max(1, rows * columns))
  const tapBytes: usize = <usize>channels << 2
  let c = 0
  for (; c + 16 <= channels; c += 16) {
    const i: usize = <usize>c << 2
    const dy0 = gradient<Op>(v128.load(dy + i), share), dy1 = gradient<Op>(v128.load(dy + i, 16), share)
    const dy2 = gradient<Op>(v128.load(dy + i, 32), share), dy3 = gradient<Op>(v128.load(dy + i, 48), share)
    let line: usize = x + i
    let filterLine: usize = filter + i
    for (let fh = rows; fh > 0; fh--) {
      let p: usize = line
      let f: usize = filterLine
      for (let fw = columns; fw > 0; fw--) {
        addTap<Op>(p, f, dy0, 4)
        addTap<Op>(p + 16, f + 16, dy1, 4)
        addTap<Op>(p + 32, f + 32, dy2, 4)
        addTap<Op>(p + 48, f + 48, dy3, 4)
        p += step
        f += tapBytes
      }
      line += rowStep
      filterLine += filterRow
    }
  }
  for (; c < channels; c += 4) {
    const i: usize = <usize>c << 2
    const count = channels - c
    const part = gradient<Op>(loadLanes(dy + i, count), share)
    let line: usize = x + i
    let filterLine: usize = filter + i
    for (let fh = rows; fh > 0; fh--) {
      let p: usize = line
      let f: usize = filterLine
      for (let fw = columns; fw > 0; fw--) {
        addTap<Op>(p, f, part, count)
        p += step
        f += tapBytes
      }
      line += rowStep
      filterLine += filterRow
    }
  }
}

/** Depthwise with several outputs for each channel: four of them at a time. */
function spreadProducts<Op>(
  x: usize,
  filter: usize,
  dy: usize,
  rows: i32,
  columns: i32,
  rowStep: usize,
  step: usize,
  filterRow: usize,
  channels: i32,
  multiplier: i32,
): void {
  const tapBytes: usize = <usize>(channels * multiplier) << 2
  for (let c = 0; c < channels; c++)
    for (let q = 0; q < multiplier; q += 4) {
      const i: usize = <usize>(c * multiplier + q) << 2
      const count = multiplier - q
      const part = loadLanes(dy + i, count)
      let line: usize = x + (<usize>c << 2)
      let filterLine: usize = filter + i
      for (let fh = rows; fh > 0; fh--) {
        let p: usize = line
        let f: usize = filterLine
        for (let fw = columns; fw > 0; fw--) {
          addProducts<Op>(p, f, part, count)
          p += step
          f += tapBytes
        }
        line += rowStep
        filterLine += filterRow
      }
    }
}

/** dx gets dy where x is the first maximum of its window. */
export function maxGradWindow(
  x: usize,
  dx: usize,
  dy: usize,
  rows: i32,
  columns: i32,
  rowStep: usize,
  step: usize,
  channels: i32,
): void {
  if (rows * columns == 0) return
  let c = 0
  for (; c + 8 <= channels; c += 8) {
    const i: usize = <usize>c << 2
    let best0 = v128.load(x + i), best1 = v128.load(x + i, 16)
    let place0 = i32x4.splat(0), place1 = place0
    let tap = 0
    let line: usize = i
    for (let fh = rows; fh > 0; fh--) {
      let p: usize = line
      for (let fw = columns; fw > 0; fw--) {
        const value0 = v128.load(x + p), value1 = v128.load(x + p, 16)
        const here = i32x4.splat(tap)
        const above0 = f32x4.gt(value0, best0), above1 = f32x4.gt(value1, best1)
        place0 = v128.bitselect(here, place0, above0)
        place1 = v128.bitselect(here, place1, above1)
        best0 = v128.bitselect(value0, best0, above0)
        best1 = v128.bitselect(value1, best1, above1)
        tap++
        p += step
      }
      line += rowStep
    }
    const dy0 = v128.load(dy + i), dy1 = v128.load(dy + i, 16)
    tap = 0
    line = i
    for (let fh = rows; fh > 0; fh--) {
      let p: usize = line
      for (let fw = columns; fw > 0; fw--) {
        const here = i32x4.splat(tap)
        const to: usize = dx + p
        v128.store(to, f32x4.add(v128.load(to), v128.and(dy0, i32x4.eq(place0, here))))
        v128.store(to, f32x4.add(v128.load(to, 16), v128.and(dy1, i32x4.eq(place1, here))), 16)
        tap++
        p += step
      }
      line += rowStep
    }
  }
  for (; c < channels; c += 4) maxGradLanes(x, dx, dy, rows, columns, rowStep, step, <usize>c << 2, channels - c)
}

/** As above for up to four channels. */
function maxGradLanes(
  x: usize,
  dx: usize,
  dy: usize,
  rows: i32,
  columns: i32,
  rowStep: usize,
  step: usize,
  offset: usize,
  count: i32,
): void {
  let best = loadLanes(x + offset, count)
  let place = i32x4.splat(0)
  let tap = 0
  let line: usize = offset
  for (let fh = rows; fh > 0; fh--) {
    let p: usize = line
    for (let fw = columns; fw > 0; fw--) {
      const value = loadLanes(x + p, count)
      const above = f32x4.gt(value, best)
      place = v128.bitselect(i32x4.splat(tap), place, above)
      best = v128.bitselect(value, best, above)
      tap++
      p += step
    }
    line += rowStep
  }
  const gradient = loadLanes(dy + offset, count)
  tap = 0
  line = offset
  for (let fh = rows; fh > 0; fh--) {
    let p: usize = line
    for (let fw = columns; fw > 0; fw--) {
      const share = v128.and(gradient, i32x4.eq(place, i32x4.splat(tap)))
      storeLanes(dx + p, f32x4.add(loadLanes(dx + p, count), share), count)
      tap++
      p += step
    }
    line += rowStep
  }
}
