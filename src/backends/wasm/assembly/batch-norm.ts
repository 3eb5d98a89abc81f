// Batch normalization with given moments.

import { loadLanes, ONE, splat, spread, storeLanes } from './simd'

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
