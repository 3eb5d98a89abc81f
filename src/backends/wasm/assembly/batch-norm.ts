// Batch normalization: with given moments, with those of the batch, and its gradients.

import { loadLanes, ONE, splat, spread, storeLanes } from './simd'
import { sums } from './sums'

/** See ../exports.ts. */
export function batchNorm(
  x: usize,
  mean: usize,
  variance: usize,
  scale: usize,
  offset: usize,
  out: usize,
  rows: i32,
  channels: i32,
  epsilon: f32,
): void {
  const pitch: usize = <usize>channels << 2
  // Four channels of all rows, then the next four: their factor is worked out once.
  for (let c = 0; c < channels; c += 4) {
    const i: usize = <usize>c << 2
    const count = channels - c
    const root = f32x4.sqrt(f32x4.add(loadLanes(variance + i, count), splat(epsilon)))
    const factor = f32x4.div(scale ? loadLanes(scale + i, count) : spread(ONE), root)
    const center = loadLanes(mean + i, count)
    const shift = offset ? loadLanes(offset + i, count) : splat(0)
    let from: usize = x + i
    let to: usize = out + i
    for (let r = 0; r < rows; r++) {
      storeLanes(to, f32x4.add(f32x4.mul(f32x4.sub(loadLanes(from, count), center), factor), shift), count)
      from += pitch
      to += pitch
    }
  }
}

/** See ../exports.ts. */
export function batchNormTraining(
  x: usize,
  scale: usize,
  offset: usize,
  out: usize,
  mean: usize,
  variance: usize,
  rows: i32,
  channels: i32,
  epsilon: f32,
): void {
  sums(true, x, mean, 1, rows, channels)
  const pitch: usize = <usize>channels << 2
  memory.fill(variance, 0, pitch)
  for (let r = 0; r < rows; ) {
    // Four rows at a time, so that the sums are read and written less often.
    const step = rows - r >= 4 ? 4 : 1
    for (let c = 0; c < channels; c += 4) {
      const i: usize = <usize>c << 2
      const count = channels - c
      const center = loadLanes(mean + i, count)
      let squares = squaredDistance(x + i, center, count)
      if (step == 4) {
        const second = squaredDistance(x + i + pitch, center, count)
        const third = squaredDistance(x + i + 2 * pitch, center, count)
        const fourth = squaredDistance(x + i + 3 * pitch, center, count)
        squares = f32x4.add(f32x4.add(squares, second), f32x4.add(third, fourth))
      }
      storeLanes(variance + i, f32x4.add(loadLanes(variance + i, count), squares), count)
    }
    x += <usize>step * pitch
    r += step
  }
  x -= <usize>rows * pitch
  for (let c = 0; c < channels; c += 4) {
    const i: usize = variance + (<usize>c << 2)
    storeLanes(i, f32x4.div(loadLanes(i, channels - c), splat(<f32>rows)), channels - c)
  }
  batchNorm(x, mean, variance, scale, offset, out, rows, channels, epsilon)
}

// @ts-ignore: decorator
@inline
function squaredDistance(x: usize, center: v128, count: i32): v128 {
  const d = f32x4.sub(loadLanes(x, count), center)
  return f32x4.mul(d, d)
}

/** See ../exports.ts. */
export function batchNormTrainingGrad(
  dy: usize,
  x: usize,
  scale: usize,
  mean: usize,
  variance: usize,
  dx: usize,
  dScale: usize,
  dOffset: usize,
  rows: i32,
  channels: i32,
  epsilon: f32,
): void {
  sums(false, dy, dOffset, 1, rows, channels)
  const pitch: usize = <usize>channels << 2
  memory.fill(dScale, 0, pitch)
  for (let r = 0; r < rows; ) {
    const step = rows - r >= 4 ? 4 : 1
    for (let c = 0; c < channels; c += 4) {
      const i: usize = <usize>c << 2
      const count = channels - c
      const center = loadLanes(mean + i, count)
      let products = weightedDistance(dy + i, x + i, center, count)
      if (step == 4) {
        const second = weightedDistance(dy + i + pitch, x + i + pitch, center, count)
        const third = weightedDistance(dy + i + 2 * pitch, x + i + 2 * pitch, center, count)
        const fourth = weightedDistance(dy + i + 3 * pitch, x + i + 3 * pitch, center, count)
        products = f32x4.add(f32x4.add(products, second), f32x4.add(third, fourth))
      }
      storeLanes(dScale + i, f32x4.add(loadLanes(dScale + i, count), products), count)
    }
    dy += <usize>step * pitch
    x += <usize>step * pitch
    r += step
  }
  dy -= <usize>rows * pitch
  x -= <usize>rows * pitch
  const share = splat(1 / <f32>rows)
  for (let c = 0; c < channels; c += 4) {
    const i: usize = <usize>c << 2
    const count = channels - c
    const center = loadLanes(mean + i, count)
    const root = f32x4.div(spread(ONE), f32x4.sqrt(f32x4.add(loadLanes(variance + i, count), splat(epsilon))))
    const normalized = f32x4.mul(loadLanes(dScale + i, count), root)
    storeLanes(dScale + i, normalized, count)
    const factor = f32x4.mul(loadLanes(scale + i, count), root)
    const shift = f32x4.mul(loadLanes(dOffset + i, count), share)
    const slope = f32x4.mul(f32x4.mul(normalized, share), root)
    for (let r = 0; r < rows; r++) {
      const place: usize = <usize>r * pitch + i
      const distance = f32x4.sub(loadLanes(x + place, count), center)
      const rest = f32x4.sub(f32x4.sub(loadLanes(dy + place, count), shift), f32x4.mul(distance, slope))
      storeLanes(dx + place, f32x4.mul(rest, factor), count)
    }
  }
}

// @ts-ignore: decorator
@inline
function weightedDistance(dy: usize, x: usize, center: v128, count: i32): v128 {
  return f32x4.mul(loadLanes(dy, count), f32x4.sub(loadLanes(x, count), center))
}
