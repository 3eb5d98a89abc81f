// Element by element, one input. Codes as in ../exports.ts.

import { exp4, sigmoid4, tanh4 } from './exponential'
import { splat } from './simd'

/** See ../exports.ts. */
export function unary(code: i32, input: usize, out: usize, n: i32, alpha: f32, beta: f32): void {
  switch (code) {
    case 0: return each<Neg>(input, out, n, alpha, beta)
    case 1: return each<Abs>(input, out, n, alpha, beta)
    case 2: return each<Square>(input, out, n, alpha, beta)
    case 3: return each<Sqrt>(input, out, n, alpha, beta)
    case 4: return each<Rsqrt>(input, out, n, alpha, beta)
    case 5: return each<Reciprocal>(input, out, n, alpha, beta)
    case 6: return each<Exp>(input, out, n, alpha, beta)
    case 10: return each<Sigmoid>(input, out, n, alpha, beta)
    case 11: return each<Tanh>(input, out, n, alpha, beta)
    case 12: return each<Relu>(input, out, n, alpha, beta)
    case 13: return each<Relu6>(input, out, n, alpha, beta)
    case 14: return each<LeakyRelu>(input, out, n, alpha, beta)
    case 21: return each<Floor>(input, out, n, alpha, beta)
    case 22: return each<Ceil>(input, out, n, alpha, beta)
    case 23: return each<Round>(input, out, n, alpha, beta)
    case 25: return each<Step>(input, out, n, alpha, beta)
    case 27: return each<Clip>(input, out, n, alpha, beta)
    case 36: return each<Affine>(input, out, n, alpha, beta)
  }
  const end: usize = input + (<usize>n << 2)
  while (input < end) {
    store<f32>(out, scalar(code, load<f32>(input)))
    input += 4
    out += 4
  }
}

/** The functions without a form for four floats, in float64 where float32 would cancel. */
function scalar(code: i32, x: f32): f32 {
  switch (code) {
    case 7: return <f32>Math.expm1(x)
    case 8: return Mathf.log(x)
    case 9: return <f32>Math.log1p(x)
    case 15: return x >= 0 ? x : <f32>Math.expm1(x)
    case 16: return x >= 0 ? <f32>1.0507009873554805 * x : <f32>(1.7580993408473768 * Math.expm1(x))
    // Past 20 the logarithm adds less than the last place.
    case 17: return x > 20 ? x : <f32>Math.log1p(Math.exp(x))
    case 18: return <f32>Math.sin(x)
    case 19: return <f32>Math.cos(x)
    case 20: return <f32>Math.tan(x)
    case 24: return x > 0 ? 1 : x < 0 ? -1 : 0
    case 26: return erf(x)
    case 28: return <f32>Math.sinh(x)
    case 29: return <f32>Math.cosh(x)
    case 30: return <f32>Math.asin(x)
    case 31: return <f32>Math.acos(x)
    case 32: return <f32>Math.atan(x)
    case 33: return <f32>Math.asinh(x)
    case 34: return <f32>Math.acosh(x)
    case 35: return <f32>Math.atanh(x)
  }
  return x
}

/** Abramowitz and Stegun 7.1.26 with |error| <= 1.5e-7, as tfjs has it; near zero two terms of the series. */
function erf(value: f32): f32 {
  const x = Math.abs(<f64>value)
  if (x < 0.01) return <f32>(1.1283791670955126 * value * (1 - x * x / 3))
  const t = 1 / (1 + 0.3275911 * x)
  const p = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t
  const y = 1 - p * Math.exp(-x * x)
  return <f32>(value < 0 ? -y : y)
}

/** Four at a time; the last group goes through a small copy, so that each operation has one form only. */
function each<T>(input: usize, out: usize, n: i32, alpha: f32, beta: f32): void {
  const a = splat(alpha)
  const b = splat(beta)
  for (; n >= 4; n -= 4) {
    v128.store(out, apply<T>(v128.load(input), a, b))
    input += 16
    out += 16
  }
  for (; n > 0; n--) {
    store<f32>(out, f32x4.extract_lane(apply<T>(v128.load32_splat(input), a, b), 0))
    input += 4
    out += 4
  }
}

// Names of operations: `apply` is compiled once for each.
class Neg {}
class Abs {}
class Square {}
class Sqrt {}
class Rsqrt {}
class Reciprocal {}
class Exp {}
class Sigmoid {}
class Tanh {}
class Relu {}
class Relu6 {}
class LeakyRelu {}
class Floor {}
class Ceil {}
class Round {}
class Step {}
class Clip {}
class Affine {}

// @ts-ignore: decorator
@inline
function apply<T>(x: v128, a: v128, b: v128): v128 {
  const zero = splat(0)
  const one = splat(1)
  if (idof<T>() == idof<Neg>()) return f32x4.neg(x)
  else if (idof<T>() == idof<Abs>()) return f32x4.abs(x)
  else if (idof<T>() == idof<Square>()) return f32x4.mul(x, x)
  else if (idof<T>() == idof<Sqrt>()) return f32x4.sqrt(x)
  else if (idof<T>() == idof<Rsqrt>()) return f32x4.div(one, f32x4.sqrt(x))
  else if (idof<T>() == idof<Reciprocal>()) return f32x4.div(one, x)
  else if (idof<T>() == idof<Exp>()) return exp4(x)
  else if (idof<T>() == idof<Sigmoid>()) return sigmoid4(x)
  else if (idof<T>() == idof<Tanh>()) return tanh4(x)
  else if (idof<T>() == idof<Relu>()) return f32x4.pmax(x, zero)
  else if (idof<T>() == idof<Relu6>()) return f32x4.pmin(f32x4.pmax(x, zero), splat(6))
  else if (idof<T>() == idof<LeakyRelu>()) return v128.bitselect(f32x4.mul(x, a), x, f32x4.lt(x, zero))
  else if (idof<T>() == idof<Floor>()) return f32x4.floor(x)
  else if (idof<T>() == idof<Ceil>()) return f32x4.ceil(x)
  else if (idof<T>() == idof<Round>()) return f32x4.nearest(x)
  else if (idof<T>() == idof<Clip>()) return f32x4.pmin(f32x4.pmax(x, a), b)
  else if (idof<T>() == idof<Affine>()) return f32x4.add(f32x4.mul(x, a), b)
  else {
    // Step.
    const stepped = v128.bitselect(one, a, f32x4.gt(x, zero))
    return v128.bitselect(stepped, x, f32x4.eq(x, x))
  }
}

/** See ../exports.ts. */
export function classify(code: i32, input: usize, out: usize, n: i32): void {
  for (let i = 0; i < n; i++) {
    const x = load<f32>(input + (<usize>i << 2))
    const is = code == 0 ? x != x : code == 1 ? abs(x) == Infinity : abs(x) < Infinity
    store<u8>(out + i, <u8>is)
  }
}

/** See ../exports.ts. */
export function logicalNot(input: usize, out: usize, n: i32): void {
  for (let i = 0; i < n; i++) store<u8>(out + i, <u8>(load<u8>(input + i) == 0))
}
