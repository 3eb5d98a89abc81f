// erf of four floats at a time and what is made of it; erf within 1.5 units in the last place of float64's over all floats (tests hold it).
//
// Up to 0.9, x + x P(x^2); past it, 1 - e^-Q(x) with the sign of x. P and Q are minimax polynomials of degree 5 and 6.

import { expOfNegative4 } from './exponential'
import { fma, HALF, ONE, SIGN, splat, spread } from './simd'

const P0 = memory.data<f32>([0.12837915122509003])
const P1 = memory.data<f32>([-0.3761252462863922])
const P2 = memory.data<f32>([0.11282141506671906])
const P3 = memory.data<f32>([-2.677893079817295e-2])
const P4 = memory.data<f32>([5.011988803744316e-3])
const P5 = memory.data<f32>([-6.090474780648947e-4])
// Of -Q, without the factor x that all of its terms have.
const Q0 = memory.data<f32>([-1.1285200119018555])
const Q1 = memory.data<f32>([-0.6356993317604065])
const Q2 = memory.data<f32>([-0.10528687387704849])
const Q3 = memory.data<f32>([2.2906044498085976e-2])
const Q4 = memory.data<f32>([-3.2199800480157137e-3])
const Q5 = memory.data<f32>([2.1459560957737267e-4])
const SPLIT = memory.data<f32>([0.9])
const FOUR = memory.data<f32>([4])
const ROOT_HALF = memory.data<f32>([0.7071067811865476])

/** -Q(|x|), |x| up to 4. */
// @ts-ignore: decorator
@inline
function exponent(size: v128): v128 {
  let q = fma(spread(Q5), size, spread(Q4))
  q = fma(q, size, spread(Q3))
  q = fma(q, size, spread(Q2))
  q = fma(q, size, spread(Q1))
  q = fma(q, size, spread(Q0))
  return f32x4.mul(q, size)
}

/** erf where |x| is at most 0.9. */
// @ts-ignore: decorator
@inline
function near(x: v128): v128 {
  const z = f32x4.mul(x, x)
  let p = fma(spread(P5), z, spread(P4))
  p = fma(p, z, spread(P3))
  p = fma(p, z, spread(P2))
  p = fma(p, z, spread(P1))
  p = fma(p, z, spread(P0))
  return fma(p, x, x)
}

// @ts-ignore: decorator
@inline
export function erf4(x: v128): v128 {
  // At 4 it is 1.
  const size = f32x4.pmin(f32x4.abs(x), spread(FOUR))
  const far = f32x4.sub(spread(ONE), expOfNegative4(exponent(size)))
  return v128.bitselect(near(x), v128.or(far, v128.and(x, spread(SIGN))), f32x4.lt(size, spread(SPLIT)))
}

/** Share of a standard normal distribution below x: (1 + erf(x / sqrt 2)) / 2, without cancellation; 0 below -5.65. */
// @ts-ignore: decorator
@inline
export function normalShare4(x: v128): v128 {
  const t = f32x4.mul(x, spread(ROOT_HALF))
  const size = f32x4.abs(t)
  const half = spread(HALF)
  const middle = fma(near(t), half, half)
  const outside = f32x4.gt(size, spread(FOUR))
  const tail = v128.andnot(f32x4.mul(half, expOfNegative4(exponent(f32x4.pmin(size, spread(FOUR))))), outside)
  const far = v128.bitselect(tail, f32x4.sub(spread(ONE), tail), f32x4.lt(t, splat(0)))
  return v128.bitselect(middle, far, f32x4.lt(size, spread(SPLIT)))
}
