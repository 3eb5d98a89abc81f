// Element by element, one input. Codes as in ../exports.ts.

import { compareRow } from './compare'
import { erf4 } from './error-function'
import { exp4, expMinusOne4, sigmoid4, softplus4, tanh4 } from './exponential'
import { gelu4, geluTanh4 } from './gelu'
import { log1p4, log4 } from './logarithm'
import { loadLanes, ONE, splat, spread, storeLanes, ZERO } from './simd'
import { cos4, isWithinReach, sin4, tan4 } from './trigonometric'

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
    case 7: return each<Expm1>(input, out, n, alpha, beta)
    case 8: return each<Log>(input, out, n, alpha, beta)
    case 9: return each<Log1p>(input, out, n, alpha, beta)
    case 10: return each<Sigmoid>(input, out, n, alpha, beta)
    case 11: return each<Tanh>(input, out, n, alpha, beta)
    case 12: return each<Relu>(input, out, n, alpha, beta)
    case 13: return each<Relu6>(input, out, n, alpha, beta)
    case 14: return each<LeakyRelu>(input, out, n, alpha, beta)
    // selu(x) = 1.05 x above zero, 1.76 (e^x - 1) below.
    case 15: return each<Elu>(input, out, n, 1, 1)
    case 16: return each<Elu>(input, out, n, 1.0507009873554805, 1.7580993408473768)
    case 17: return each<Softplus>(input, out, n, alpha, beta)
    case 18: return turned<Sin>(code, input, out, n)
    case 19: return turned<Cos>(code, input, out, n)
    case 20: return turned<Tan>(code, input, out, n)
    case 21: return each<Floor>(input, out, n, alpha, beta)
    case 22: return each<Ceil>(input, out, n, alpha, beta)
    case 23: return each<Round>(input, out, n, alpha, beta)
    case 24: return each<Sign>(input, out, n, alpha, beta)
    case 25: return each<Step>(input, out, n, alpha, beta)
    case 26: return each<Erf>(input, out, n, alpha, beta)
    case 27: return each<Clip>(input, out, n, alpha, beta)
    case 36: return each<Affine>(input, out, n, alpha, beta)
    case 37: return each<Gelu>(input, out, n, alpha, beta)
    case 38: return each<GeluTanh>(input, out, n, alpha, beta)
  }
  const end: usize = input + (<usize>n << 2)
  while (input < end) {
    store<f32>(out, scalar(code, load<f32>(input)))
    input += 4
    out += 4
  }
}

/** The functions without a form for four floats, and angles past the reach of those that have one. */
function scalar(code: i32, x: f32): f32 {
  switch (code) {
    case 18: return <f32>Math.sin(x)
    case 19: return <f32>Math.cos(x)
    case 20: return <f32>Math.tan(x)
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

/** Eight at a time: two chains of operations keep the processor busier than one. */
function each<T>(input: usize, out: usize, n: i32, alpha: f32, beta: f32): void {
  const a = splat(alpha)
  const b = splat(beta)
  for (; n >= 8; n -= 8) {
    const first = apply<T>(v128.load(input), a, b)
    const second = apply<T>(v128.load(input, 16), a, b)
    v128.store(out, first)
    v128.store(out, second, 16)
    input += 32
    out += 32
  }
  if (n >= 4) {
    v128.store(out, apply<T>(v128.load(input), a, b))
    input += 16
    out += 16
    n -= 4
  }
  if (n > 0) storeLanes(out, apply<T>(loadLanes(input, n), a, b), n)
}

/** Functions of an angle. */
function turned<T>(code: i32, input: usize, out: usize, n: i32): void {
  for (; n > 0; n -= 4) {
    const x = loadLanes(input, n)
    storeLanes(out, isWithinReach(x) ? apply<T>(x, x, x) : scalars(code, x), n)
    input += 16
    out += 16
  }
}

function scalars(code: i32, x: v128): v128 {
  const y = f32x4.splat(scalar(code, f32x4.extract_lane(x, 0)))
  const y1 = f32x4.replace_lane(y, 1, scalar(code, f32x4.extract_lane(x, 1)))
  const y2 = f32x4.replace_lane(y1, 2, scalar(code, f32x4.extract_lane(x, 2)))
  return f32x4.replace_lane(y2, 3, scalar(code, f32x4.extract_lane(x, 3)))
}

// Names of operations: `apply` is compiled once for each.
class Neg {}
class Abs {}
class Square {}
class Sqrt {}
class Rsqrt {}
class Reciprocal {}
class Exp {}
class Expm1 {}
class Log {}
class Log1p {}
class Sigmoid {}
class Tanh {}
class Relu {}
class Relu6 {}
class LeakyRelu {}
class Elu {}
class Softplus {}
class Sin {}
class Cos {}
class Tan {}
class Floor {}
class Ceil {}
class Round {}
class Sign {}
class Step {}
class Erf {}
class Clip {}
class Affine {}
class Gelu {}
class GeluTanh {}

// @ts-ignore: decorator
@inline
function apply<T>(x: v128, a: v128, b: v128): v128 {
  const zero = splat(0)
  const one = spread(ONE)
  if (idof<T>() == idof<Neg>()) return f32x4.neg(x)
  else if (idof<T>() == idof<Abs>()) return f32x4.abs(x)
  else if (idof<T>() == idof<Square>()) return f32x4.mul(x, x)
  else if (idof<T>() == idof<Sqrt>()) return f32x4.sqrt(x)
  else if (idof<T>() == idof<Rsqrt>()) return f32x4.div(one, f32x4.sqrt(x))
  else if (idof<T>() == idof<Reciprocal>()) return f32x4.div(one, x)
  else if (idof<T>() == idof<Exp>()) return exp4(x)
  else if (idof<T>() == idof<Expm1>()) return expMinusOne4(x)
  else if (idof<T>() == idof<Log>()) return log4(x)
  else if (idof<T>() == idof<Log1p>()) return log1p4(x)
  else if (idof<T>() == idof<Sigmoid>()) return sigmoid4(x)
  else if (idof<T>() == idof<Tanh>()) return tanh4(x)
  else if (idof<T>() == idof<Relu>()) return f32x4.pmax(x, zero)
  else if (idof<T>() == idof<Relu6>()) return f32x4.pmin(f32x4.pmax(x, zero), splat(6))
  else if (idof<T>() == idof<LeakyRelu>()) return v128.bitselect(f32x4.mul(x, a), x, f32x4.lt(x, zero))
  else if (idof<T>() == idof<Elu>())
    return v128.bitselect(f32x4.mul(x, a), f32x4.mul(expMinusOne4(x), b), f32x4.ge(x, zero))
  else if (idof<T>() == idof<Softplus>()) return softplus4(x)
  else if (idof<T>() == idof<Sin>()) return sin4(x)
  else if (idof<T>() == idof<Cos>()) return cos4(x)
  else if (idof<T>() == idof<Tan>()) return tan4(x)
  else if (idof<T>() == idof<Floor>()) return f32x4.floor(x)
  else if (idof<T>() == idof<Ceil>()) return f32x4.ceil(x)
  else if (idof<T>() == idof<Round>()) return f32x4.nearest(x)
  else if (idof<T>() == idof<Sign>())
    return v128.or(v128.and(f32x4.gt(x, zero), one), v128.and(f32x4.lt(x, zero), splat(-1)))
  else if (idof<T>() == idof<Erf>()) return erf4(x)
  else if (idof<T>() == idof<Clip>()) return f32x4.pmin(f32x4.pmax(x, a), b)
  else if (idof<T>() == idof<Gelu>()) return gelu4(x)
  else if (idof<T>() == idof<GeluTanh>()) return geluTanh4(x)
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
  compareRow(0, 2, input, ZERO, out, n, 1, 0)
}
