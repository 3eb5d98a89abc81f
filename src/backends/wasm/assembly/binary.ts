// Element by element, two inputs with broadcasting. Codes as in ../exports.ts.

import { compareRow } from './compare'
import { geluSlope4, geluTanhSlope4 } from './gelu'
import { isPlainPower, power4 } from './power'
import { loadLanes, maskOf, MINUS_INFINITY, ONE, splat, spread, storeLanes } from './simd'
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
    case 15: return floats<GeluGrad>(a, b, out, rows, n, rowA, stepA, rowB, stepB)
    case 16: return floats<GeluTanhGrad>(a, b, out, rows, n, rowA, stepA, rowB, stepB)
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
  if (code == 9) {
    if (!(stepA && !stepB && isEasyPower(a, load<f32>(b), out, n))) powers(a, b, out, n, stepA, stepB)
    return
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

/** Four at a time where all four are plain. */
function powers(a: usize, b: usize, out: usize, n: i32, stepA: i32, stepB: i32): void {
  for (; n > 0; n -= 4) {
    let x = stepA ? loadLanes(a, n) : v128.load32_splat(a)
    const y = stepB ? loadLanes(b, n) : v128.load32_splat(b)
    if (n < 4) x = v128.bitselect(x, spread(ONE), maskOf(n))
    if (isPlainPower(x, y)) storeLanes(out, power4(x, y), n)
    else
      for (let i: usize = 0; i < <usize>min(n, 4); i++) {
        const base = load<f32>(a + i * (<usize>stepA << 2))
        store<f32>(out + (i << 2), scalar(9, base, load<f32>(b + i * (<usize>stepB << 2))))
      }
    a += <usize>stepA << 4
    b += <usize>stepB << 4
    out += 16
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
class GeluGrad {}
class GeluTanhGrad {}
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
  else if (idof<T>() == idof<GeluGrad>()) return f32x4.mul(x, geluSlope4(y))
  else if (idof<T>() == idof<GeluTanhGrad>()) return f32x4.mul(x, geluTanhSlope4(y))
  else if (idof<T>() == idof<Cube>()) return f32x4.mul(f32x4.mul(x, x), x)
  else if (idof<T>() == idof<Root>()) {
    // As a power, that of -Infinity is Infinity and that of -0 is 0.
    const infinite = f32x4.eq(x, spread(MINUS_INFINITY))
    return f32x4.add(f32x4.sqrt(v128.bitselect(f32x4.abs(x), x, infinite)), zero)
  }
  // EluGrad: dy * (y >= 0 ? 1 : y + 1).
  else return v128.bitselect(x, f32x4.mul(x, f32x4.add(y, spread(ONE))), f32x4.ge(y, zero))
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
