// The matrix of an image's patches ("im2col"): a row per output pixel, a column per tap and channel, NHWC.
//
// Taps stand outside and the pixels of an output line inside, so that the loops over pixels copy runs of one length.

import { at } from './copy'
import { loadLanes, splat, storeLanes } from './simd'

/** Copies rows of the matrix, from row `first` on, out of the image; zeros outside it. */
export function copyPatches(image: usize, patches: usize, first: i32, rows: i32, g: usize): void {
  eachLine(false, image, patches, first, rows, g)
}

/** Adds rows of the matrix to the image that they come from. */
export function addPatches(image: usize, patches: usize, first: i32, rows: i32, g: usize): void {
  eachLine(true, image, patches, first, rows, g)
}

/** Cuts the rows into the output lines that they lie in. */
// @ts-ignore: decorator
@inline
function eachLine(addBack: bool, image: usize, patches: usize, first: i32, rows: i32, g: usize): void {
  const height = at(g, 1), outHeight = at(g, 4), outWidth = at(g, 5)
  const lineBytes: usize = <usize>(at(g, 2) * at(g, 3)) << 2
  const patchBytes: usize = <usize>(at(g, 7) * at(g, 8) * at(g, 3)) << 2
  while (rows > 0) {
    const line = first / outWidth
    const from = first - line * outWidth
    const count = min(rows, outWidth - from)
    const b = line / outHeight
    const top = (line - b * outHeight) * at(g, 9) - at(g, 13)
    eachTap(addBack, image + <usize>(b * height) * lineBytes, patches, top, from, count, patchBytes, g)
    patches += <usize>count * patchBytes
    first += count
    rows -= count
  }
}

/** The taps of `count` pixels, from pixel `from` of an output line on. */
// @ts-ignore: decorator
@inline
function eachTap(
  addBack: bool,
  image: usize,
  patches: usize,
  top: i32,
  from: i32,
  count: i32,
  patchBytes: usize,
  g: usize,
): void {
  const width = at(g, 2), channels = at(g, 3), filterWidth = at(g, 8), stride = at(g, 10)
  const pixelBytes: usize = <usize>channels << 2
  const left = from * stride - at(g, 14)
  const joined = at(g, 12) == 1
  for (let fh = 0; fh < at(g, 7); fh++) {
    const ih = top + fh * at(g, 11)
    const inHeight = ih >= 0 && ih < at(g, 1)
    const line: usize = image + <usize>(ih * width) * pixelBytes
    // Neighbouring taps lie together in the image: one run for each pixel whose taps are all inside.
    const lo = joined && inHeight ? firstInside(left, stride, count) : count
    const hi = max(lo, endInside(left + filterWidth - 1, stride, count, width))
    const pixel: usize = line + <usize>(left + lo * stride) * pixelBytes
    const inside: usize = patches + <usize>lo * patchBytes
    if (addBack) addRuns(inside, pixel, filterWidth * channels, hi - lo, patchBytes, pixelBytes * stride)
    else copyRuns(pixel, inside, filterWidth * channels, hi - lo, pixelBytes * stride, patchBytes)
    tapByTap(addBack, line, inHeight, patches, left, lo, patchBytes, g)
    tapByTap(addBack, line, inHeight, patches + <usize>hi * patchBytes, left + hi * stride, count - hi, patchBytes, g)
    patches += <usize>filterWidth * pixelBytes
  }
}

/** One line of taps of `count` pixels, some of whose taps may lie outside the image. */
function tapByTap(
  addBack: bool,
  line: usize,
  inHeight: bool,
  patches: usize,
  left: i32,
  count: i32,
  patchBytes: usize,
  g: usize,
): void {
  if (count <= 0) return
  const channels = at(g, 3), stride = at(g, 10)
  const pixelBytes: usize = <usize>channels << 2
  const step: usize = pixelBytes * stride
  for (let fw = 0; fw < at(g, 8); fw++) {
    const start = left + fw * at(g, 12)
    const lo = inHeight ? firstInside(start, stride, count) : count
    const hi = max(lo, endInside(start, stride, count, at(g, 2)))
    const pixel: usize = line + <usize>(start + lo * stride) * pixelBytes
    const inside: usize = patches + <usize>lo * patchBytes
    if (addBack) addRuns(inside, pixel, channels, hi - lo, patchBytes, step)
    else {
      zeroRuns(patches, channels, lo, patchBytes)
      copyRuns(pixel, inside, channels, hi - lo, step, patchBytes)
      zeroRuns(patches + <usize>hi * patchBytes, channels, count - hi, patchBytes)
    }
    patches += pixelBytes
  }
}

/** The first of `count` places from `start` on, `stride` apart, that is not below 0. */
// @ts-ignore: decorator
@inline
function firstInside(start: i32, stride: i32, count: i32): i32 {
  return min(count, start >= 0 ? 0 : (stride - 1 - start) / stride)
}

/** The first of them that is not below `limit`. */
// @ts-ignore: decorator
@inline
function endInside(start: i32, stride: i32, count: i32, limit: i32): i32 {
  return start < limit ? min(count, (limit - 1 - start) / stride + 1) : 0
}

/** `count` runs of n floats, the steps from run to run in bytes. */
function copyRuns(from: usize, to: usize, n: i32, count: i32, fromStep: usize, toStep: usize): void {
  if (n <= 4) {
    for (; count > 0; count--) {
      storeLanes(to, loadLanes(from, n), n)
      from += fromStep
      to += toStep
    }
    return
  }
  // The last four floats may have been copied already.
  const last: usize = (<usize>n << 2) - 16
  for (; count > 0; count--) {
    for (let i: usize = 0; i < last; i += 16) v128.store(to + i, v128.load(from + i))
    v128.store(to + last, v128.load(from + last))
    from += fromStep
    to += toStep
  }
}

/** As `copyRuns`, added. */
function addRuns(from: usize, to: usize, n: i32, count: i32, fromStep: usize, toStep: usize): void {
  const rest = n & 3
  const whole: usize = <usize>(n - rest) << 2
  for (; count > 0; count--) {
    for (let i: usize = 0; i < whole; i += 16) v128.store(to + i, f32x4.add(v128.load(to + i), v128.load(from + i)))
    if (rest) storeLanes(to + whole, f32x4.add(loadLanes(to + whole, rest), loadLanes(from + whole, rest)), rest)
    from += fromStep
    to += toStep
  }
}

function zeroRuns(to: usize, n: i32, count: i32, toStep: usize): void {
  for (; count > 0; count--) {
    for (let c = 0; c < n; c += 4) storeLanes(to + (<usize>c << 2), splat(0), n - c)
    to += toStep
  }
}
