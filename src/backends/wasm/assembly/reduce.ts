// Reductions of [outer, size, inner] over the middle axis, and softmax. Codes as in ../exports.ts.

import { exp4 } from './exponential'
import { splat, sumOfLanes } from './simd'
import { sums } from './sums'

/** See ../exports.ts. */
export function reduce(code: i32, input: usize, out: usize, outer: i32, size: i32, inner: i32): void {
  if (code <= 1) sums(code == 1, input, out, outer, size, inner)
  else
    for (let o = 0; o < outer; o++)
      for (let i = 0; i < inner; i++) {
        let x: usize = input + (<usize>(o * size * inner + i) << 2)
        let result: f32 = code == 2 ? -Infinity : code == 3 ? Infinity : 1
        for (let s = 0; s < size; s++) {
          const value = load<f32>(x)
          // f32 max and min keep NaN.
          if (code == 2) result = max<f32>(result, value)
          else if (code == 3) result = min<f32>(result, value)
          else result *= value
          x += <usize>inner << 2
        }
        store<f32>(out, result)
        out += 4
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

/** See ../exports.ts. */
export function softmax(isLog: i32, input: usize, out: usize, rows: i32, size: i32): void {
  for (let r = 0; r < rows; r++) {
    let largest: f32 = -Infinity
    for (let i = 0; i < size; i++) largest = max<f32>(largest, load<f32>(input + (<usize>i << 2)))
    const shift = splat(largest)
    let sum: f32 = 0
    let i = 0
    for (; i + 4 <= size; i += 4) {
      const at: usize = <usize>i << 2
      const shifted = f32x4.sub(v128.load(input + at), shift)
      const power = exp4(shifted)
      sum += sumOfLanes(power)
      v128.store(out + at, isLog ? shifted : power)
    }
    for (; i < size; i++) {
      const at: usize = <usize>i << 2
      const shifted = load<f32>(input + at) - largest
      const power = f32x4.extract_lane(exp4(splat(shifted)), 0)
      sum += power
      store<f32>(out + at, isLog ? shifted : power)
    }
    const logarithm = isLog ? <f32>Math.log(sum) : 0
    for (i = 0; i < size; i++) {
      const at: usize = out + (<usize>i << 2)
      store<f32>(at, isLog ? load<f32>(at) - logarithm : load<f32>(at) / sum)
    }
    input += <usize>size << 2
    out += <usize>size << 2
  }
}
