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
  const share = splat(idof<Op>() == idof<MeanGrad>() ? 1 / <f32>max(1, rows * columns) : 1)
  const tapBytes: usize = <usize>(channels * multiplier) << 2
  for (let fh = rows; fh > 0; fh--) {
    let p: usize = x
    let f: usize = filter
    for (let fw = columns; fw > 0; fw--) {
      if (idof<Op>() != idof<MeanGrad>() && multiplier > 1) {
        for (let c = 0; c < channels; c++)
          for (let q = 0; q < multiplier; q += 4) {
            const i: usize = <usize>(c * multiplier + q) << 2
            const count = multiplier - q
            addProducts<Op>(p + (<usize>c << 2), f + i, loadLanes(dy + i, count), count)
          }
      } else {
        let c = 0
        for (; c + 16 <= channels; c += 16) {
          const i: usize = <usize>c << 2
          addTap<Op>(p + i, f + i, f32x4.mul(v128.load(dy + i), share), 4)
          addTap<Op>(p + i + 16, f + i + 16, f32x4.mul(v128.load(dy + i, 16), share), 4)
          addTap<Op>(p + i + 32, f + i + 32, f32x4.mul(v128.load(dy + i, 32), share), 4)
          addTap<Op>(p + i + 48, f + i + 48, f32x4.mul(v128.load(dy + i, 48), share), 4)
        }
        for (; c < channels; c += 4) {
          const i: usize = <usize>c << 2
          const count = channels - c
          addTap<Op>(p + i, f + i, f32x4.mul(loadLanes(dy + i, count), share), count)
        }
      }
      p += step
      f += tapBytes
    }
    x += rowStep
    filter += filterRow
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
