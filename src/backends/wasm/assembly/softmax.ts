// Softmax of the rows of a matrix, its logarithm, and the cross-entropy with targets.

import { at } from './copy'
import { expOfNegative4 } from './exponential'
import { log4 } from './logarithm'
import { fma, loadLanes, MINUS_INFINITY, maskOf, ONE, splat, spread, storeLanes, sumOfLanes } from './simd'

/** The largest of n floats, four times. NaN is passed over: it shows up in the sum. */
export function largestOf(x: usize, n: i32): v128 {
  let m0 = spread(MINUS_INFINITY)
  let m1 = m0
  for (; n >= 8; n -= 8) {
    m0 = f32x4.pmax(m0, v128.load(x))
    m1 = f32x4.pmax(m1, v128.load(x, 16))
    x += 32
  }
  if (n >= 4) {
    m0 = f32x4.pmax(m0, v128.load(x))
    x += 16
    n -= 4
  }
  if (n > 0) m1 = f32x4.pmax(m1, v128.bitselect(loadLanes(x, n), m1, maskOf(n)))
  m0 = f32x4.pmax(m0, m1)
  m0 = f32x4.pmax(m0, i8x16.shuffle(m0, m0, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7))
  return f32x4.pmax(m0, i8x16.shuffle(m0, m0, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11))
}

/** Sum of e^(x - shift), four times; the powers go to `out` unless it is 0. */
function sumOfPowers(x: usize, out: usize, n: i32, shift: v128): v128 {
  let s0 = splat(0)
  let s1 = splat(0)
  for (; n >= 8; n -= 8) {
    const p0 = expOfNegative4(f32x4.sub(v128.load(x), shift))
    const p1 = expOfNegative4(f32x4.sub(v128.load(x, 16), shift))
    s0 = f32x4.add(s0, p0)
    s1 = f32x4.add(s1, p1)
    if (out) {
      v128.store(out, p0)
      v128.store(out, p1, 16)
      out += 32
    }
    x += 32
  }
  for (; n > 0; n -= 4) {
    let power = expOfNegative4(f32x4.sub(loadLanes(x, n), shift))
    if (n < 4) power = v128.and(power, maskOf(n))
    s0 = f32x4.add(s0, power)
    if (out) {
      storeLanes(out, power, n)
      out += 16
    }
    x += 16
  }
  return splat(sumOfLanes(f32x4.add(s0, s1)))
}

/** See ../exports.ts. */
export function softmax(isLog: i32, input: usize, out: usize, rows: i32, size: i32): void {
  const pitch: usize = <usize>size << 2
  for (; rows > 0; rows--) {
    const shift = largestOf(input, size)
    const sum = sumOfPowers(input, isLog ? 0 : out, size, shift)
    if (isLog) {
      const logarithm = log4(sum)
      for (let i = 0; i < size; i += 4) {
        const place: usize = <usize>i << 2
        const shifted = f32x4.sub(loadLanes(input + place, size - i), shift)
        storeLanes(out + place, f32x4.sub(shifted, logarithm), size - i)
      }
    } else {
      const factor = f32x4.div(spread(ONE), sum)
      for (let i = 0; i < size; i += 4) {
        const place: usize = out + (<usize>i << 2)
        storeLanes(place, f32x4.mul(loadLanes(place, size - i), factor), size - i)
      }
    }
    input += pitch
    out += pitch
  }
}

/** See ../exports.ts. */
export function crossEntropy(logits: usize, targets: usize, labels: usize, out: usize, rows: i32, size: i32): void {
  const pitch: usize = <usize>size << 2
  for (let r = 0; r < rows; r++) {
    const shift = largestOf(logits, size)
    const logarithm = log4(sumOfPowers(logits, 0, size, shift))
    let loss: f32 = 0
    if (labels) {
      const label = at(labels, r)
      // A label outside is no class: a row of zeros as one-hot.
      if (<u32>label < <u32>size)
        loss = f32x4.extract_lane(logarithm, 0) - (load<f32>(logits + (<usize>label << 2)) - f32x4.extract_lane(shift, 0))
    } else {
      let sum = splat(0)
      for (let i = 0; i < size; i += 4) {
        const place: usize = <usize>i << 2
        const target = loadLanes(targets + place, size - i)
        const term = f32x4.sub(logarithm, f32x4.sub(loadLanes(logits + place, size - i), shift))
        // 0 times Infinity is 0 here.
        sum = f32x4.add(sum, v128.and(f32x4.mul(target, term), f32x4.ne(target, splat(0))))
      }
      loss = sumOfLanes(sum)
      targets += pitch
    }
    store<f32>(out, loss)
    logits += pitch
    out += 4
  }
}

/** See ../exports.ts. */
export function crossEntropyGrad(
  dy: usize,
  logits: usize,
  targets: usize,
  labels: usize,
  out: usize,
  rows: i32,
  size: i32,
): void {
  const pitch: usize = <usize>size << 2
  for (let r = 0; r < rows; r++) {
    const slope = load<f32>(dy)
    const label = labels ? at(labels, r) : 0
    // Sum of the targets.
    let total: f32 = 1
    if (labels) total = <u32>label < <u32>size ? 1 : 0
    else {
      let sum = splat(0)
      for (let i = 0; i < size; i += 4) sum = f32x4.add(sum, loadLanes(targets + (<usize>i << 2), size - i))
      total = sumOfLanes(sum)
    }
    const sum = sumOfPowers(logits, out, size, largestOf(logits, size))
    const factor = f32x4.mul(f32x4.div(splat(total), sum), splat(slope))
    const minusSlope = splat(-slope)
    for (let i = 0; i < size; i += 4) {
      const place: usize = <usize>i << 2
      let gradient = f32x4.mul(loadLanes(out + place, size - i), factor)
      if (!labels) gradient = fma(minusSlope, loadLanes(targets + place, size - i), gradient)
      storeLanes(out + place, gradient, size - i)
    }
    if (labels && total) {
      const place: usize = out + (<usize>label << 2)
      store<f32>(place, load<f32>(place) - slope)
    }
    dy += 4
    logits += pitch
    if (targets) targets += pitch
    out += pitch
  }
}
