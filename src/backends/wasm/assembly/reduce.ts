// Reductions of [outer, size, inner] over the middle axis. Codes as in ../exports.ts.

import { loadLanes, splat, storeLanes, sumOfLanes } from './simd'
import { sums } from './sums'

/** See ../exports.ts. */
export function reduce(code: i32, input: usize, out: usize, outer: i32, size: i32, inner: i32): void {
  if (code <= 1) sums(code == 1, input, out, outer, size, inner)
  else if (code == 2) join<Max>(input, out, outer, size, inner, -Infinity)
  else if (code == 3) join<Min>(input, out, outer, size, inner, Infinity)
  else join<Product>(input, out, outer, size, inner, 1)
}

// Names of operations: `joined` is compiled once for each.
class Max {}
class Min {}
class Product {}

// @ts-ignore: decorator
@inline
function joined<T>(a: v128, b: v128): v128 {
  // max and min keep NaN.
  if (idof<T>() == idof<Max>()) return f32x4.max(a, b)
  else if (idof<T>() == idof<Min>()) return f32x4.min(a, b)
  else return f32x4.mul(a, b)
}

/** Four columns at a time, or four elements of a column that is contiguous. */
function join<T>(input: usize, out: usize, outer: i32, size: i32, inner: i32, empty: f32): void {
  const pitch: usize = <usize>inner << 2
  for (; outer > 0; outer--) {
    if (inner == 1) {
      let a = splat(empty)
      let b = a
      let left = size
      for (; left >= 8; left -= 8) {
        a = joined<T>(a, v128.load(input))
        b = joined<T>(b, v128.load(input, 16))
        input += 32
      }
      a = joined<T>(a, b)
      a = joined<T>(a, i8x16.shuffle(a, a, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7))
      a = joined<T>(a, i8x16.shuffle(a, a, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11))
      for (; left > 0; left--) {
        a = joined<T>(a, v128.load32_splat(input))
        input += 4
      }
      store<f32>(out, f32x4.extract_lane(a, 0))
      out += 4
      continue
    }
    for (let i = 0; i < inner; i += 4) {
      const count = inner - i
      let x: usize = input + (<usize>i << 2)
      let a = splat(empty)
      for (let s = 0; s < size; s++) {
        a = joined<T>(a, loadLanes(x, count))
        x += pitch
      }
      storeLanes(out + (<usize>i << 2), a, count)
    }
    input += <usize>size * pitch
    out += pitch
  }
}

/** See ../exports.ts. */
export function reduceInt(code: i32, input: usize, out: usize, outer: i32, size: i32, inner: i32): void {
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < inner; i++) {
      let x: usize = input + (<usize>(o * size * inner + i) << 2)
      let result: i32 = code == 2 ? i32.MIN_VALUE : code == 3 ? i32.MAX_VALUE : code == 4 ? 1 : 0
      for (let s = 0; s < size; s++) {
        const value = load<i32>(x)
        if (code == 0) result += value
        else if (code == 2) result = max(result, value)
        else if (code == 3) result = min(result, value)
        else result *= value
        x += <usize>inner << 2
      }
      store<i32>(out, result)
      out += 4
    }
}

/** See ../exports.ts. */
export function reduceBool(isAll: i32, input: usize, out: usize, outer: i32, size: i32, inner: i32): void {
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < inner; i++) {
      let x: usize = input + (o * size * inner + i)
      let result = isAll != 0
      for (let s = 0; s < size; s++) {
        const value = load<u8>(x) != 0
        result = isAll ? result && value : result || value
        x += inner
      }
      store<u8>(out, <u8>result)
      out++
    }
}

/** See ../exports.ts. */
export function argExtreme(isMin: i32, input: usize, out: usize, outer: i32, size: i32, inner: i32): void {
  if (inner == 1 && size >= 4) {
    for (; outer > 0; outer--) {
      store<i32>(out, isMin ? firstOf<Min>(input, size) : firstOf<Max>(input, size))
      input += <usize>size << 2
      out += 4
    }
    return
  }
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < inner; i++) {
      let x: usize = input + (<usize>(o * size * inner + i) << 2)
      let best = size > 0 ? load<f32>(x) : 0
      let index = 0
      for (let s = 1; s < size; s++) {
        x += <usize>inner << 2
        const value = load<f32>(x)
        if (isMin ? value < best : value > best) {
          best = value
          index = s
        }
      }
      store<i32>(out, index)
      out += 4
    }
}

/** Index of the first extreme of at least four floats; NaN is none, except at the first place. */
function firstOf<T>(x: usize, size: i32): i32 {
  const last: usize = x + (<usize>(size - 4) << 2)
  let best = v128.load32_splat(x)
  // The last group may overlap the one before it.
  for (let p: usize = x; p < last; p += 16) best = extreme<T>(best, v128.load(p))
  best = extreme<T>(best, v128.load(last))
  best = extreme<T>(best, v128.shuffle<u32>(best, best, 2, 3, 0, 1))
  best = extreme<T>(best, v128.shuffle<u32>(best, best, 1, 0, 3, 2))
  for (let p: usize = x; p < last; p += 16) {
    const bits = i32x4.bitmask(f32x4.eq(v128.load(p), best))
    if (bits) return <i32>((p - x) >> 2) + ctz(bits)
  }
  const bits = i32x4.bitmask(f32x4.eq(v128.load(last), best))
  return bits ? size - 4 + ctz(bits) : 0
}

// @ts-ignore: decorator
@inline
function extreme<T>(a: v128, b: v128): v128 {
  if (idof<T>() == idof<Min>()) return f32x4.pmin(a, b)
  else return f32x4.pmax(a, b)
}
