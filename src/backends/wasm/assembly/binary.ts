// Element by element, two inputs with broadcasting. Codes as in ../exports.ts.

import { splat } from './simd'

/** See ../exports.ts. */
export function binary(
  code: i32,
  dtype: i32,
  a: usize,
  b: usize,
  out: usize,
  rows: i32,
  inner: i32,
  rowStrideA: i32,
  stepA: i32,
  rowStrideB: i32,
  stepB: i32,
): void {
  for (let r = 0; r < rows; r++) {
    row(code, dtype, a, b, out, inner, stepA, stepB)
    a += <usize>rowStrideA << 2
    b += <usize>rowStrideB << 2
    out += <usize>inner << 2
  }
}

function row(code: i32, dtype: i32, a: usize, b: usize, out: usize, n: i32, stepA: i32, stepB: i32): void {
  if (dtype == 1) {
    for (let i = 0; i < n; i++) {
      store<i32>(out, integer(code, load<i32>(a), load<i32>(b)))
      a += <usize>stepA << 2
      b += <usize>stepB << 2
      out += 4
    }
    return
  }
  switch (code) {
    case 0: return floats<Add>(a, b, out, n, stepA, stepB)
    case 1: return floats<Sub>(a, b, out, n, stepA, stepB)
    case 2: return floats<Mul>(a, b, out, n, stepA, stepB)
    case 3: return floats<Div>(a, b, out, n, stepA, stepB)
    case 4: return floats<Maximum>(a, b, out, n, stepA, stepB)
    case 5: return floats<Minimum>(a, b, out, n, stepA, stepB)
    case 6: return floats<SquaredDifference>(a, b, out, n, stepA, stepB)
    case 7: return floats<FloorDiv>(a, b, out, n, stepA, stepB)
    case 11: return floats<DivNoNan>(a, b, out, n, stepA, stepB)
    case 12: return floats<Prelu>(a, b, out, n, stepA, stepB)
    case 13: return floats<EluGrad>(a, b, out, n, stepA, stepB)
    case 14: return floats<ReluGrad>(a, b, out, n, stepA, stepB)
  }
  for (let i = 0; i < n; i++) {
    store<f32>(out, scalar(code, load<f32>(a), load<f32>(b)))
    a += <usize>stepA << 2
    b += <usize>stepB << 2
    out += 4
  }
}

function scalar(code: i32, a: f32, b: f32): f32 {
  if (code == 9) return <f32>Math.pow(a, b)
  if (code == 10) return <f32>Math.atan2(a, b)
  // mod: the remainder takes the divisor's sign.
  const rest = <f32>((<f64>a) % (<f64>b))
  return rest != 0 && rest < 0 != b < 0 ? rest + b : rest
}

/** Through float64, which holds each int32 and each result but some products, which wrap. Division by 0 gives 0. */
function integer(code: i32, a: i32, b: i32): i32 {
  switch (code) {
    case 0: return a + b
    case 1: return a - b
    case 2: return a * b
    case 4: return max(a, b)
    case 5: return min(a, b)
    case 6: return (a - b) * (a - b)
    case 9: return <i32>(<i64>Math.pow(a, b))
  }
  if (b == 0) return 0
  if (code == 3 || code == 11) return <i32>(<i64>(<f64>a / <f64>b))
  if (code == 7) return <i32>(<i64>Math.floor(<f64>a / <f64>b))
  const rest = b == -1 ? 0 : a % b
  return rest != 0 && rest < 0 != b < 0 ? rest + b : rest
}

// @ts-ignore: decorator
@inline
function floats<T>(a: usize, b: usize, out: usize, n: i32, stepA: i32, stepB: i32): void {
  const nextA: usize = <usize>stepA << 4
  const nextB: usize = <usize>stepB << 4
  for (; n >= 4; n -= 4) {
    const x = stepA ? v128.load(a) : v128.load32_splat(a)
    const y = stepB ? v128.load(b) : v128.load32_splat(b)
    v128.store(out, apply<T>(x, y))
    a += nextA
    b += nextB
    out += 16
  }
  for (; n > 0; n--) {
    store<f32>(out, f32x4.extract_lane(apply<T>(v128.load32_splat(a), v128.load32_splat(b)), 0))
    a += <usize>stepA << 2
    b += <usize>stepB << 2
    out += 4
  }
}

class Add {}
class Sub {}
class Mul {}
class Div {}
class Maximum {}
class Minimum {}
class SquaredDifference {}
class FloorDiv {}
class DivNoNan {}
class Prelu {}
class EluGrad {}
class ReluGrad {}

// @ts-ignore: decorator
@inline
function apply<T>(x: v128, y: v128): v128 {
  const zero = splat(0)
  if (idof<T>() == idof<Add>()) return f32x4.add(x, y)
  else if (idof<T>() == idof<Sub>()) return f32x4.sub(x, y)
  else if (idof<T>() == idof<Mul>()) return f32x4.mul(x, y)
  else if (idof<T>() == idof<Div>()) return f32x4.div(x, y)
  else if (idof<T>() == idof<Maximum>()) return f32x4.max(x, y)
  else if (idof<T>() == idof<Minimum>()) return f32x4.min(x, y)
  else if (idof<T>() == idof<SquaredDifference>()) return f32x4.mul(f32x4.sub(x, y), f32x4.sub(x, y))
  else if (idof<T>() == idof<FloorDiv>()) return f32x4.floor(f32x4.div(x, y))
  else if (idof<T>() == idof<DivNoNan>()) return v128.andnot(f32x4.div(x, y), f32x4.eq(y, zero))
  else if (idof<T>() == idof<Prelu>()) return v128.bitselect(f32x4.mul(x, y), x, f32x4.lt(x, zero))
  else if (idof<T>() == idof<ReluGrad>()) return v128.and(x, f32x4.gt(y, zero))
  // EluGrad: dy * (y >= 0 ? 1 : y + 1).
  else return v128.bitselect(x, f32x4.mul(x, f32x4.add(y, splat(1))), f32x4.ge(y, zero))
}

/** See ../exports.ts. */
export function compare(
  code: i32,
  dtype: i32,
  a: usize,
  b: usize,
  out: usize,
  rows: i32,
  inner: i32,
  rowStrideA: i32,
  stepA: i32,
  rowStrideB: i32,
  stepB: i32,
): void {
  const shift: usize = dtype == 2 ? 0 : 2
  for (let r = 0; r < rows; r++) {
    compareRow(code, dtype, a, b, out, inner, stepA, stepB)
    a += <usize>rowStrideA << shift
    b += <usize>rowStrideB << shift
    out += inner
  }
}

function compareRow(code: i32, dtype: i32, a: usize, b: usize, out: usize, n: i32, stepA: i32, stepB: i32): void {
  if (dtype == 0) relate<f32>(code, a, b, out, n, stepA, stepB)
  else if (dtype == 1) relate<i32>(code, a, b, out, n, stepA, stepB)
  else relate<u8>(code, a, b, out, n, stepA, stepB)
}

function relate<T>(code: i32, a: usize, b: usize, out: usize, n: i32, stepA: i32, stepB: i32): void {
  const nextA: usize = <usize>stepA * sizeof<T>()
  const nextB: usize = <usize>stepB * sizeof<T>()
  for (let i = 0; i < n; i++) {
    const x = load<T>(a)
    const y = load<T>(b)
    let is = false
    switch (code) {
      case 0: is = x == y; break
      case 1: is = x != y; break
      case 2: is = x < y; break
      case 3: is = x <= y; break
      case 4: is = x > y; break
      case 5: is = x >= y; break
      case 6: is = (x != 0) && (y != 0); break
      case 7: is = (x != 0) || (y != 0); break
      case 8: is = (x != 0) != (y != 0); break
    }
    store<u8>(out + i, <u8>is)
    a += nextA
    b += nextB
  }
}

// @ts-ignore: decorator
@inline
function at(info: usize, index: i32): i32 {
  return load<i32>(info + (<usize>index << 2))
}

/** See ../exports.ts. */
export function binaryStrided(code: i32, dtype: i32, a: usize, b: usize, out: usize, info: usize): void {
  strided(false, code, dtype, a, b, out, info)
}

/** See ../exports.ts. */
export function compareStrided(code: i32, dtype: i32, a: usize, b: usize, out: usize, info: usize): void {
  strided(true, code, dtype, a, b, out, info)
}

function strided(isCompare: bool, code: i32, dtype: i32, a: usize, b: usize, out: usize, info: usize): void {
  const n = at(info, 5)
  const shift: usize = dtype == 2 ? 0 : 2
  for (let i0 = 0; i0 < at(info, 0); i0++)
    for (let i1 = 0; i1 < at(info, 1); i1++)
      for (let i2 = 0; i2 < at(info, 2); i2++)
        for (let i3 = 0; i3 < at(info, 3); i3++)
          for (let i4 = 0; i4 < at(info, 4); i4++) {
            const offsetA = i0 * at(info, 6) + i1 * at(info, 7) + i2 * at(info, 8) + i3 * at(info, 9) + i4 * at(info, 10)
            const offsetB = i0 * at(info, 12) + i1 * at(info, 13) + i2 * at(info, 14) + i3 * at(info, 15) + i4 * at(info, 16)
            const x: usize = a + (<usize>offsetA << shift)
            const y: usize = b + (<usize>offsetB << shift)
            if (isCompare) {
              compareRow(code, dtype, x, y, out, n, at(info, 11), at(info, 17))
              out += n
            } else {
              row(code, dtype, x, y, out, n, at(info, 11), at(info, 17))
              out += <usize>n << 2
            }
          }
}
