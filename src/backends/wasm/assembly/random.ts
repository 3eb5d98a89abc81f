// Philox 4x32-10, the function of src/core/philox.ts: four blocks at a time, the rest of a row one by one.

import { splat } from './simd'

/** Four blocks of four words: word i of block b is lane b of wi. */
let w0: v128 = i32x4.splat(0)
let w1: v128 = i32x4.splat(0)
let w2: v128 = i32x4.splat(0)
let w3: v128 = i32x4.splat(0)

/** See ../exports.ts. */
export function philoxFill(
  out: usize,
  rows: i32,
  rowSize: i32,
  kind: i32,
  rate: f64,
  seed: u32,
  step: u32,
  firstRow: u32,
  stream: u32,
): void {
  // A uniform number is a multiple of 2^-24, so whether it is below the rate is a question of whole numbers.
  const limit = <i32>Math.ceil(rate * 16777216)
  const kept = <f32>(1 / (1 - rate))
  for (let row = 0; row < rows; row++)
    for (let start = 0; start < rowSize; start += 16) {
      blocks(start >>> 2, firstRow + row, step, stream, seed)
      const count = min(16, rowSize - start)
      if (kind == 1) normals(out, count)
      else if (kind == 0) uniforms(out, count)
      else mask(out, count, limit, kept)
      out += <usize>count << 2
    }
}

/** Words of the blocks with counters [first .. first + 3, row, step, stream]. */
// @ts-ignore: decorator
@inline
function blocks(first: u32, row: u32, step: u32, stream: u32, seed: u32): void {
  let c0 = i32x4.add(i32x4.splat(first), i32x4(0, 1, 2, 3))
  let c1 = i32x4.splat(row)
  let c2 = i32x4.splat(step)
  let c3 = i32x4.splat(stream)
  const m0 = i32x4.splat(0xd2511f53)
  const m1 = i32x4.splat(0xcd9e8d57)
  let k0 = seed
  let k1: u32 = 0xffffffff
  for (let round = 0; round < 10; round++) {
    const low0 = i64x2.extmul_low_i32x4_u(m0, c0)
    const high0 = i64x2.extmul_high_i32x4_u(m0, c0)
    const low1 = i64x2.extmul_low_i32x4_u(m1, c2)
    const high1 = i64x2.extmul_high_i32x4_u(m1, c2)
    c0 = v128.xor(v128.xor(v128.shuffle<i32>(low1, high1, 1, 3, 5, 7), c1), i32x4.splat(k0))
    c1 = v128.shuffle<i32>(low1, high1, 0, 2, 4, 6)
    c2 = v128.xor(v128.xor(v128.shuffle<i32>(low0, high0, 1, 3, 5, 7), c3), i32x4.splat(k1))
    c3 = v128.shuffle<i32>(low0, high0, 0, 2, 4, 6)
    k0 += 0x9e3779b9
    k1 += 0xbb67ae85
  }
  // From word after word to block after block.
  const a = v128.shuffle<i32>(c0, c1, 0, 4, 1, 5)
  const b = v128.shuffle<i32>(c2, c3, 0, 4, 1, 5)
  const c = v128.shuffle<i32>(c0, c1, 2, 6, 3, 7)
  const d = v128.shuffle<i32>(c2, c3, 2, 6, 3, 7)
  w0 = v128.shuffle<i64>(a, b, 0, 2)
  w1 = v128.shuffle<i64>(a, b, 1, 3)
  w2 = v128.shuffle<i64>(c, d, 0, 2)
  w3 = v128.shuffle<i64>(c, d, 1, 3)
}

function uniforms(out: usize, count: i32): void {
  write(out, uniform4(w0), count)
  write(out + 16, uniform4(w1), count - 4)
  write(out + 32, uniform4(w2), count - 8)
  write(out + 48, uniform4(w3), count - 12)
}

function mask(out: usize, count: i32, limit: i32, kept: f32): void {
  const least = i32x4.splat(limit)
  const value = splat(kept)
  write(out, kept4(w0, least, value), count)
  write(out + 16, kept4(w1, least, value), count - 4)
  write(out + 32, kept4(w2, least, value), count - 8)
  write(out + 48, kept4(w3, least, value), count - 12)
}

function normals(out: usize, count: i32): void {
  pairs(out, w0, count)
  pairs(out + 16, w1, count - 4)
  pairs(out + 32, w2, count - 8)
  pairs(out + 48, w3, count - 12)
}

// @ts-ignore: decorator
@inline
function uniform4(words: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_u(i32x4.shr_u(words, 8)), splat(1.0 / 16777216))
}

// @ts-ignore: decorator
@inline
function kept4(words: v128, least: v128, value: v128): v128 {
  return v128.and(value, i32x4.ge_s(i32x4.shr_u(words, 8), least))
}

/** The first `count` of four floats, if any. */
// @ts-ignore: decorator
@inline
function write(out: usize, x: v128, count: i32): void {
  if (count >= 4) v128.store(out, x)
  else {
    if (count > 0) store<f32>(out, f32x4.extract_lane(x, 0))
    if (count > 1) store<f32>(out, f32x4.extract_lane(x, 1), 4)
    if (count > 2) store<f32>(out, f32x4.extract_lane(x, 2), 8)
  }
}

function pairs(out: usize, words: v128, count: i32): void {
  if (count > 0) pair(out, i32x4.extract_lane(words, 0), i32x4.extract_lane(words, 1), count)
  if (count > 2) pair(out + 8, i32x4.extract_lane(words, 2), i32x4.extract_lane(words, 3), count - 2)
}

/** One Box-Muller pair, or its first half; in float64, where the logarithm is near 0. */
function pair(out: usize, first: u32, second: u32, count: i32): void {
  const radius = Math.sqrt(-2 * Math.log(1 - uniform(first)))
  const angle = 2 * Math.PI * uniform(second)
  store<f32>(out, <f32>(radius * Math.cos(angle)))
  if (count > 1) store<f32>(out, <f32>(radius * Math.sin(angle)), 4)
}

// @ts-ignore: decorator
@inline
function uniform(word: u32): f64 {
  return <f64>(word >>> 8) * (1.0 / 16777216)
}
