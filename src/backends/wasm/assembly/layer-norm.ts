// Layer normalization of the rows of a matrix, and its gradients. Moments of a row: its mean and 1 / sqrt(variance + epsilon).

import { fma, loadLanes, maskOf, ONE, splat, spread, storeLanes, sumOfLanes } from './simd'

/** See ../exports.ts. */
export function layerNorm(
  x: usize,
  scale: usize,
  offset: usize,
  out: usize,
  moments: usize,
  rows: i32,
  size: i32,
  epsilon: f32,
): void {
  const pitch: usize = <usize>size << 2
  for (; rows > 0; rows--) {
    let s0 = splat(0)
    let s1 = splat(0)
    let i = 0
    for (; i + 8 <= size; i += 8) {
      const place: usize = x + (<usize>i << 2)
      s0 = f32x4.add(s0, v128.load(place))
      s1 = f32x4.add(s1, v128.load(place, 16))
    }
    for (; i < size; i += 4) s0 = f32x4.add(s0, loadLanes(x + (<usize>i << 2), size - i))
    const mean = sumOfLanes(f32x4.add(s0, s1)) / <f32>size
    const center = splat(mean)
    s0 = splat(0)
    s1 = splat(0)
    i = 0
    for (; i + 8 <= size; i += 8) {
      const place: usize = x + (<usize>i << 2)
      const d0 = f32x4.sub(v128.load(place), center)
      const d1 = f32x4.sub(v128.load(place, 16), center)
      s0 = fma(d0, d0, s0)
      s1 = fma(d1, d1, s1)
    }
    for (; i < size; i += 4) {
      let d = f32x4.sub(loadLanes(x + (<usize>i << 2), size - i), center)
      if (size - i < 4) d = v128.and(d, maskOf(size - i))
      s0 = fma(d, d, s0)
    }
    const root: f32 = 1 / sqrt<f32>(sumOfLanes(f32x4.add(s0, s1)) / <f32>size + epsilon)
    const factor = splat(root)
    for (i = 0; i < size; i += 4) {
      const place: usize = <usize>i << 2
      const d = f32x4.sub(loadLanes(x + place, size - i), center)
      const normal = f32x4.mul(d, factor)
      const scaled = f32x4.mul(normal, scale ? loadLanes(scale + place, size - i) : spread(ONE))
      storeLanes(out + place, offset ? f32x4.add(scaled, loadLanes(offset + place, size - i)) : scaled, size - i)
    }
    store<f32>(moments, mean)
    store<f32>(moments, root, 4)
    moments += 8
    x += pitch
    out += pitch
  }
}

/** See ../exports.ts. */
export function layerNormGrad(
  dy: usize,
  x: usize,
  scale: usize,
  moments: usize,
  dx: usize,
  rows: i32,
  size: i32,
): void {
  const pitch: usize = <usize>size << 2
  const share: f32 = 1 / <f32>size
  for (; rows > 0; rows--) {
    const center = v128.load32_splat(moments)
    const root = v128.load32_splat(moments, 4)
    // Of g = dy * scale, and of g times the normalized x. Lanes past the end hold g = 0.
    let sum = splat(0)
    let product = splat(0)
    for (let i = 0; i < size; i += 4) {
      const place: usize = <usize>i << 2
      const normal = f32x4.mul(f32x4.sub(loadLanes(x + place, size - i), center), root)
      let g = loadLanes(dy + place, size - i)
      if (scale) g = f32x4.mul(g, loadLanes(scale + place, size - i))
      sum = f32x4.add(sum, g)
      product = fma(g, normal, product)
    }
    const mean = splat(sumOfLanes(sum) * share)
    const slope = splat(sumOfLanes(product) * share)
    for (let i = 0; i < size; i += 4) {
      const place: usize = <usize>i << 2
      const normal = f32x4.mul(f32x4.sub(loadLanes(x + place, size - i), center), root)
      let g = loadLanes(dy + place, size - i)
      if (scale) g = f32x4.mul(g, loadLanes(scale + place, size - i))
      const rest = f32x4.sub(f32x4.sub(g, mean), f32x4.mul(normal, slope))
      storeLanes(dx + place, f32x4.mul(rest, root), size - i)
    }
    moments += 8
    dy += pitch
    x += pitch
    dx += pitch
  }
}

/** See ../exports.ts. */
export function layerNormParameterGrad(
  dy: usize,
  x: usize,
  moments: usize,
  dScale: usize,
  dOffset: usize,
  rows: i32,
  size: i32,
): void {
  const pitch: usize = <usize>size << 2
  memory.fill(dScale, 0, pitch)
  memory.fill(dOffset, 0, pitch)
  for (; rows > 0; rows--) {
    const center = v128.load32_splat(moments)
    const root = v128.load32_splat(moments, 4)
    for (let i = 0; i < size; i += 4) {
      const place: usize = <usize>i << 2
      const count = size - i
      const g = loadLanes(dy + place, count)
      const normal = f32x4.mul(f32x4.sub(loadLanes(x + place, count), center), root)
      storeLanes(dScale + place, fma(g, normal, loadLanes(dScale + place, count)), count)
      storeLanes(dOffset + place, f32x4.add(g, loadLanes(dOffset + place, count)), count)
    }
    moments += 8
    dy += pitch
    x += pitch
  }
}
