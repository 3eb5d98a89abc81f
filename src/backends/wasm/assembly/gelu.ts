// GELU of four floats at a time, x times the share of a standard normal distribution below x, with erf and with tanh,
// and their slopes. Within 1.5e-7 and, the slopes, 3e-7 of float64, relative where the result is above 1 (tests hold it).
//
// Hendrycks and Gimpel 2016, https://arxiv.org/abs/1606.08415

import { normalShare4 } from './error-function'
import { expOfNegative4, sigmoid4 } from './exponential'
import { fma, MINUS_HALF, ONE, splat, spread } from './simd'

/** 1 / sqrt(2 pi). */
const DENSITY = memory.data<f32>([0.3989422804014327])
/** 2 sqrt(2 / pi), and 0.044715 and three times it of it. */
const LINEAR = memory.data<f32>([1.5957691216057308])
const CUBIC = memory.data<f32>([0.07135481627015324])
const THRICE_CUBIC = memory.data<f32>([0.21406444881045973])
/** Squares past it make a slope of 0 or 1 all the same, and are kept from becoming Infinity. */
const FAR = memory.data<f32>([1e4])

// @ts-ignore: decorator
@inline
export function gelu4(x: v128): v128 {
  return f32x4.mul(x, normalShare4(x))
}

// @ts-ignore: decorator
@inline
export function geluSlope4(x: v128): v128 {
  const square = f32x4.pmin(f32x4.mul(x, x), spread(FAR))
  const density = f32x4.mul(expOfNegative4(f32x4.mul(square, spread(MINUS_HALF))), spread(DENSITY))
  return fma(x, density, normalShare4(x))
}

/** 2 u with u = sqrt(2 / pi) (x + 0.044715 x^3): (1 + tanh(u)) / 2 is the sigmoid of it. */
// @ts-ignore: decorator
@inline
function twiceArgument(x: v128, square: v128): v128 {
  return f32x4.mul(x, fma(square, spread(CUBIC), spread(LINEAR)))
}

// @ts-ignore: decorator
@inline
export function geluTanh4(x: v128): v128 {
  const square = f32x4.pmin(f32x4.mul(x, x), spread(FAR))
  return f32x4.mul(x, sigmoid4(twiceArgument(x, square)))
}

// @ts-ignore: decorator
@inline
export function geluTanhSlope4(x: v128): v128 {
  const square = f32x4.pmin(f32x4.mul(x, x), spread(FAR))
  // Sigmoid y and its slope y (1 - y) from a power that is at most 1: without cancellation.
  const power = expOfNegative4(f32x4.neg(f32x4.abs(twiceArgument(x, square))))
  const y = f32x4.div(spread(ONE), f32x4.add(spread(ONE), power))
  const other = f32x4.mul(power, y)
  const slope = f32x4.mul(f32x4.mul(other, y), fma(square, spread(THRICE_CUBIC), spread(LINEAR)))
  return fma(x, slope, v128.bitselect(other, y, f32x4.lt(x, splat(0))))
}
