// Element by element, two inputs with broadcasting. Codes as in ../exports.ts.

import { loadLanes, MINUS_INFINITY, ONE, splat, spread, storeLanes } from './simd'
import { unary } from './unary'

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
  // Floats without a scalar form go through all rows in one call.
  if (dtype == 0 && code != 8 && code != 9 && code != 10)
    rowsOfFloats(code, a, b, out, rows, inner, rowStrideA, stepA, rowStrideB, stepB)
  else
    for (; rows > 0; rows--) {
      row(code, dtype, a, b, out, inner, stepA, stepB)
      a += <usize>rowStrideA << 2
      b += <usize>rowStrideB << 2
      out += <usize>inner << 2
    }
}

function rowsOfFloats(
  code: i32,
  a: usize,
  b: usize,
  out: usize,
  rows: i32,
  n: i32,
  rowA: i32,
  stepA: i32,
  rowB: i32,
  stepB: i32,
): void {
  switch (code) {
    case 0: return floats<Add>(a, b, out, rows, n, rowA, stepA, rowB, stepB)
    case 1: return floats<Sub>(a, b, out, rows, n, rowA, stepA, rowB, stepB)
    case 2: return floats<Mul>(a, b, out, rows, n, rowA, stepA, rowB, stepB)
    case 3: return floats<Div>(a, b, out, rows, n, rowA, stepA, rowB, stepB)
    case 4: return floats<Maximum>(a, b, out, rows, n, rowA, stepA, rowB, stepB)
    case 5: return floats<Minimum>(a, b, out, rows, n, rowA, stepA, rowB, stepB)
    case 6: return floats<SquaredDifference>(a, b, out, rows, n, rowA, stepA, rowB, stepB)
    case 7: return floats<FloorDiv>(a, b, out, rows, n, rowA, stepA, rowB, stepB)
    case 11: return floats<DivNoNan>(a, b, out, rows, n, rowA, stepA, rowB, stepB)
    case 12: return floats<Prelu>(a, b, out, rows, n, rowA, stepA, rowB, stepB)
    case 13: return floats<EluGrad>(a, b, out, rows, n, rowA, stepA, rowB, stepB)
    case 14: return floats<ReluGrad>(a, b, out, rows, n, rowA, stepA, rowB, stepB)
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
  if (code != 8 && code != 9 && code != 10) {
    rowsOfFloats(code, a, b, out, 1, n, 0, stepA, 0, stepB)
    return
  }
  if (code == 9 && stepA && !stepB && isEasyPower(a, load<f32>(b), out, n)) return
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

/** Rows of one of the forms: two vectors, a vector and a scalar, a scalar and a vector. */
function floats<T>(
  a: usize,
  b: usize,
  out: usize,
  rows: i32,
  inner: i32,
  rowA: i32,
  stepA: i32,
  rowB: i32,
  stepB: i32,
): void {
  for (; rows > 0; rows--) {
    line<T>(a, b, out, inner, stepA, stepB)
    a += <usize>rowA << 2
    b += <usize>rowB << 2
    out += <usize>inner << 2
  }
}

// @ts-ignore: decorator
@inline
function line<T>(a: usize, b: usize, out: usize, n: i32, stepA: i32, stepB: i32): void {
  if (stepA && stepB) {
    for (; n >= 8; n -= 8) {
      const first = apply<T>(v128.load(a), v128.load(b))
      const second = apply<T>(v128.load(a, 16), v128.load(b, 16))
      v128.store(out, first)
      v128.store(out, second, 16)
      a += 32
      b += 32
      out += 32
    }
    if (n >= 4) {
      v128.store(out, apply<T>(v128.load(a), v128.load(b)))
      a += 16
      b += 16
      out += 16
      n -= 4
    }
    if (n > 0) storeLanes(out, apply<T>(loadLanes(a, n), loadLanes(b, n)), n)
  } else if (stepA) {
    const y = v128.load32_splat(b)
    for (; n >= 8; n -= 8) {
      const first = apply<T>(v128.load(a), y)
      const second = apply<T>(v128.load(a, 16), y)
      v128.store(out, first)
      v128.store(out, second, 16)
      a += 32
      out += 32
    }
    for (; n > 0; n -= 4) {
      storeLanes(out, apply<T>(loadLanes(a, n), y), n)
      a += 16
      out += 16
    }
  } else {
    const x = v128.load32_splat(a)
    const next: usize = <usize>stepB << 4
    for (; n > 0; n -= 4) {
      storeLanes(out, apply<T>(x, stepB ? loadLanes(b, n) : v128.load32_splat(b)), n)
      b += next
      out += 16
    }
  }
}

/** Powers that need no logarithm, of a vector and one exponent. */
function isEasyPower(a: usize, exponent: f32, out: usize, n: i32): bool {
  if (exponent == 2) unary(2, a, out, n, 0, 0)
  else if (exponent == 1) unary(36, a, out, n, 1, 0)
  else if (exponent == -1) unary(5, a, out, n, 0, 0)
  else if (exponent == 3) floats<Cube>(a, a, out, 1, n, 0, 1, 0, 1)
  else if (exponent == 0.5) floats<Root>(a, a, out, 1, n, 0, 1, 0, 1)
  else return false
  return true
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
class Cube {}
class Root {}

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
  else if (idof<T>() == idof<Cube>()) return f32x4.mul(f32x4.mul(x, x), x)
  else if (idof<T>() == idof<Root>()) {
    // As a power, that of -Infinity is Infinity and that of -0 is 0.
    const infinite = f32x4.eq(x, spread(MINUS_INFINITY))
    return f32x4.add(f32x4.sqrt(v128.bitselect(f32x4.abs(x), x, infinite)), zero)
  }
  // EluGrad: dy * (y >= 0 ? 1 : y + 1).
  else return v128.bitselect(x, f32x4.mul(x, f32x4.add(y, spread(ONE))), f32x4.ge(y, zero))
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

export function compareRow(
  code: i32,
  dtype: i32,
  a: usize,
  b: usize,
  out: usize,
  n: i32,
  stepA: i32,
  stepB: i32,
): void {
  if (n >= 16 && stepA) {
    // Sixteen at a time; then the rest.
    if (dtype == 2) sixteenBytes(code, a, b, out, n, stepB)
    else if (dtype == 0) sixteen<f32>(code, a, b, out, n, stepB)
    else sixteen<i32>(code, a, b, out, n, stepB)
    const done: usize = <usize>(n & ~15)
    const shift: usize = dtype == 2 ? 0 : 2
    a += done << shift
    if (stepB) b += done << shift
    out += done
    n &= 15
  }
  if (dtype == 0) relate<f32>(code, a, b, out, n, stepA, stepB)
  else if (dtype == 1) relate<i32>(code, a, b, out, n, stepA, stepB)
  else relate<u8>(code, a, b, out, n, stepA, stepB)
}

function sixteen<T>(code: i32, a: usize, b: usize, out: usize, n: i32, stepB: i32): void {
  const one = i8x16.splat(1)
  const y = v128.load32_splat(b)
  for (; n >= 16; n -= 16) {
    const m0 = related<T>(code, v128.load(a), stepB ? v128.load(b) : y)
    const m1 = related<T>(code, v128.load(a, 16), stepB ? v128.load(b, 16) : y)
    const m2 = related<T>(code, v128.load(a, 32), stepB ? v128.load(b, 32) : y)
    const m3 = related<T>(code, v128.load(a, 48), stepB ? v128.load(b, 48) : y)
    const bytes = i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(m0, m1), i16x8.narrow_i32x4_s(m2, m3))
    v128.store(out, v128.and(bytes, one))
    a += 64
    if (stepB) b += 64
    out += 16
  }
}

// @ts-ignore: decorator
@inline
function related<T>(code: i32, x: v128, y: v128): v128 {
  switch (code) {
    case 0: return v128.eq<T>(x, y)
    case 1: return v128.ne<T>(x, y)
    case 2: return v128.lt<T>(x, y)
    case 3: return v128.le<T>(x, y)
    case 4: return v128.gt<T>(x, y)
  }
  return v128.ge<T>(x, y)
}

function sixteenBytes(code: i32, a: usize, b: usize, out: usize, n: i32, stepB: i32): void {
  const one = i8x16.splat(1)
  const zero = i8x16.splat(0)
  for (; n >= 16; n -= 16) {
    const x = v128.load(a)
    const y = stepB ? v128.load(b) : v128.load8_splat(b)
    let is = zero
    if (code < 6) {
      switch (code) {
        case 0: is = i8x16.eq(x, y); break
        case 1: is = i8x16.ne(x, y); break
        case 2: is = i8x16.lt_u(x, y); break
        case 3: is = i8x16.le_u(x, y); break
        case 4: is = i8x16.gt_u(x, y); break
        case 5: is = i8x16.ge_u(x, y); break
      }
    } else {
      const p = i8x16.ne(x, zero)
      const q = i8x16.ne(y, zero)
      is = code == 6 ? v128.and(p, q) : code == 7 ? v128.or(p, q) : v128.xor(p, q)
    }
    v128.store(out, v128.and(is, one))
    a += 16
    if (stepB) b += 16
    out += 16
  }
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
