// Sums and means of [outer, size, inner] over the middle axis, several partial sums at a time.

import { loadLanes, splat, storeLanes, sumOfLanes } from './simd'

export function sums(isMean: bool, input: usize, out: usize, outer: i32, size: i32, inner: i32): void {
  const row: usize = <usize>inner << 2
  for (let o = 0; o < outer; o++) {
    if (inner == 1) {
      const sum = sumOfRun(input, size)
      store<f32>(out, isMean ? sum / <f32>size : sum)
    } else {
      let i = 0
      for (; i + 32 <= inner; i += 32) sumColumns32(isMean, input + (<usize>i << 2), out + (<usize>i << 2), size, row)
      for (; i < inner; i += 4)
        sumColumns4(isMean, input + (<usize>i << 2), out + (<usize>i << 2), size, row, inner - i)
    }
    input += row * size
    out += row
  }
}

function sumOfRun(x: usize, n: i32): f32 {
  let s0 = splat(0), s1 = s0, s2 = s0, s3 = s0
  for (; n >= 16; n -= 16) {
    s0 = f32x4.add(s0, v128.load(x))
    s1 = f32x4.add(s1, v128.load(x, 16))
    s2 = f32x4.add(s2, v128.load(x, 32))
    s3 = f32x4.add(s3, v128.load(x, 48))
    x += 64
  }
  for (; n > 0; n -= 4) {
    s0 = f32x4.add(s0, loadLanes(x, n))
    x += 16
  }
  return sumOfLanes(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)))
}

// @ts-ignore: decorator
@inline
function finish(isMean: bool, sum: v128, size: i32): v128 {
  return isMean ? f32x4.div(sum, splat(<f32>size)) : sum
}

/** 32 columns, so that memory is read in order where there are no more. */
function sumColumns32(isMean: bool, x: usize, out: usize, size: i32, row: usize): void {
  let s0 = splat(0), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0
  for (let n = size; n > 0; n--) {
    s0 = f32x4.add(s0, v128.load(x))
    s1 = f32x4.add(s1, v128.load(x, 16))
    s2 = f32x4.add(s2, v128.load(x, 32))
    s3 = f32x4.add(s3, v128.load(x, 48))
    s4 = f32x4.add(s4, v128.load(x, 64))
    s5 = f32x4.add(s5, v128.load(x, 80))
    s6 = f32x4.add(s6, v128.load(x, 96))
    s7 = f32x4.add(s7, v128.load(x, 112))
    x += row
  }
  v128.store(out, finish(isMean, s0, size))
  v128.store(out, finish(isMean, s1, size), 16)
  v128.store(out, finish(isMean, s2, size), 32)
  v128.store(out, finish(isMean, s3, size), 48)
  v128.store(out, finish(isMean, s4, size), 64)
  v128.store(out, finish(isMean, s5, size), 80)
  v128.store(out, finish(isMean, s6, size), 96)
  v128.store(out, finish(isMean, s7, size), 112)
}

/** Up to four columns, four rows at a time. */
function sumColumns4(isMean: bool, x: usize, out: usize, size: i32, row: usize, count: i32): void {
  let s0 = splat(0), s1 = s0, s2 = s0, s3 = s0
  let n = size
  for (; n >= 4; n -= 4) {
    s0 = f32x4.add(s0, loadLanes(x, count))
    s1 = f32x4.add(s1, loadLanes(x + row, count))
    s2 = f32x4.add(s2, loadLanes(x + 2 * row, count))
    s3 = f32x4.add(s3, loadLanes(x + 3 * row, count))
    x += 4 * row
  }
  for (; n > 0; n--) {
    s0 = f32x4.add(s0, loadLanes(x, count))
    x += row
  }
  storeLanes(out, finish(isMean, f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)), size), count)
}
