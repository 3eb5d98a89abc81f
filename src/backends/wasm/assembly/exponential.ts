// exp and what is made of it, four floats at a time.
//
// e^x = 2^k e^r with k = round(x / ln 2), so |r| <= ln 2 / 2, and e^r = 1 + r + r^2 q(r) with a minimax q of degree 4
// (relative error 6e-9). Errors against float64, in units in the last place, over all floats (tests hold them):
// exp 1.5, expm1 and elu 2, sigmoid 2.5 (below -87, where its last digits are past float32's normal numbers, 5e-39),
// selu 3, tanh 2.5, softplus 2.5.

import { logOfOnePlus4 } from './logarithm'
import { fma, HALF, ONE, SIGN, splat, spread } from './simd'

/** Adding it rounds to the nearest integer, which then stands in the lowest bits. */
const ROUNDER = memory.data<f32>([12582912])
const LOG2_E = memory.data<f32>([1.4426950408889634])
const TWICE_LOG2_E = memory.data<f32>([2.8853900817779268])
// ln 2 in two parts: products of the first with k are exact.
const MINUS_LN2_HIGH = memory.data<f32>([-0.693359375])
const MINUS_LN2_LOW = memory.data<f32>([2.12194440e-4])
const Q0 = memory.data<f32>([0.4999999701976776])
const Q1 = memory.data<f32>([0.1666654348373413])
const Q2 = memory.data<f32>([4.166720062494278e-2])
const Q3 = memory.data<f32>([8.366520516574383e-3])
const Q4 = memory.data<f32>([1.3882518978789449e-3])
/** Of the exponent of a float. */
const BIAS = memory.data<i32>([127])
const BIAS_LESS_1 = memory.data<i32>([126])
const TWO = memory.data<f32>([2])
const TEN = memory.data<f32>([10])
const PLUS_89 = memory.data<f32>([89])
const MINUS_20 = memory.data<f32>([-20])
const MINUS_87 = memory.data<f32>([-87])
const MINUS_88 = memory.data<f32>([-88])
const MINUS_104 = memory.data<f32>([-104])

/** r of x, given k. */
// @ts-ignore: decorator
@inline
function restOf(x: v128, k: v128): v128 {
  return fma(k, spread(MINUS_LN2_LOW), fma(k, spread(MINUS_LN2_HIGH), x))
}

/** e^r - 1. */
// @ts-ignore: decorator
@inline
function expMinusOneOfRest(r: v128): v128 {
  let q = fma(spread(Q4), r, spread(Q3))
  q = fma(q, r, spread(Q2))
  q = fma(q, r, spread(Q1))
  q = fma(q, r, spread(Q0))
  return fma(f32x4.mul(r, r), q, r)
}

/** e^x; 0 below -103.97, Infinity above 88.73, NaN stays. */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  const bounded = f32x4.pmin(f32x4.pmax(x, spread(MINUS_104)), spread(PLUS_89))
  const shifted = fma(bounded, spread(LOG2_E), spread(ROUNDER))
  const k = f32x4.sub(shifted, spread(ROUNDER))
  const p = f32x4.add(expMinusOneOfRest(restOf(bounded, k)), spread(ONE))
  // 2^k in two factors: k reaches from -150 to 128, past the exponents of one float.
  const power = i32x4.sub(shifted, spread(ROUNDER))
  const half = i32x4.shr_s(power, 1)
  const scale1 = i32x4.shl(i32x4.add(half, spread(BIAS)), 23)
  const scale2 = i32x4.shl(i32x4.add(i32x4.sub(power, half), spread(BIAS)), 23)
  return f32x4.mul(f32x4.mul(p, scale1), scale2)
}

/** e^x where x is at most 0: 0 below -87.3, NaN stays. */
// @ts-ignore: decorator
@inline
export function expOfNegative4(x: v128): v128 {
  const bounded = f32x4.pmax(x, spread(MINUS_88))
  const shifted = fma(bounded, spread(LOG2_E), spread(ROUNDER))
  const k = f32x4.sub(shifted, spread(ROUNDER))
  const p = f32x4.add(expMinusOneOfRest(restOf(bounded, k)), spread(ONE))
  // k = -127, the least, makes a scale of 0.
  return f32x4.mul(p, i32x4.shl(i32x4.add(shifted, spread(BIAS)), 23))
}

/** e^x - 1. */
// @ts-ignore: decorator
@inline
export function expMinusOne4(x: v128): v128 {
  const bounded = f32x4.pmin(f32x4.pmax(x, spread(MINUS_20)), spread(PLUS_89))
  const shifted = fma(bounded, spread(LOG2_E), spread(ROUNDER))
  const k = f32x4.sub(shifted, spread(ROUNDER))
  const p = expMinusOneOfRest(restOf(bounded, k))
  // 2 (2^(k-1) p + 2^(k-1) - 1/2): k reaches 128, past the exponents.
  const half = i32x4.shl(i32x4.add(shifted, spread(BIAS_LESS_1)), 23)
  const sum = fma(half, p, f32x4.sub(half, spread(HALF)))
  return f32x4.add(sum, sum)
}

/** 1 / (1 + e^-x); 0 below -88.3. */
// @ts-ignore: decorator
@inline
export function sigmoid4(x: v128): v128 {
  const bounded = f32x4.pmin(f32x4.pmax(f32x4.neg(x), spread(MINUS_87)), spread(PLUS_89))
  const shifted = fma(bounded, spread(LOG2_E), spread(ROUNDER))
  const k = f32x4.sub(shifted, spread(ROUNDER))
  const p = expMinusOneOfRest(restOf(bounded, k))
  // k = 128 makes a scale of Infinity.
  const scale = i32x4.shl(i32x4.add(shifted, spread(BIAS)), 23)
  return f32x4.div(spread(ONE), f32x4.add(spread(ONE), f32x4.mul(f32x4.add(p, spread(ONE)), scale)))
}

/** m / (m + 2) with m = e^2|x| - 1 and the sign of x. */
// @ts-ignore: decorator
@inline
export function tanh4(x: v128): v128 {
  const bounded = f32x4.pmin(f32x4.abs(x), spread(TEN))
  const shifted = fma(bounded, spread(TWICE_LOG2_E), spread(ROUNDER))
  const k = f32x4.sub(shifted, spread(ROUNDER))
  const p = expMinusOneOfRest(restOf(f32x4.add(bounded, bounded), k))
  const scale = i32x4.shl(i32x4.add(shifted, spread(BIAS)), 23)
  const m = fma(scale, p, f32x4.sub(scale, spread(ONE)))
  return v128.or(f32x4.div(m, f32x4.add(m, spread(TWO))), v128.and(x, spread(SIGN)))
}

/** log(1 + e^x) as max(x, 0) + log(1 + e^-|x|). */
// @ts-ignore: decorator
@inline
export function softplus4(x: v128): v128 {
  return f32x4.add(f32x4.pmax(x, splat(0)), logOfOnePlus4(exp4(f32x4.neg(f32x4.abs(x)))))
}
