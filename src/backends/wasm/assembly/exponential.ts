// exp, sigmoid and tanh of four floats at a time, within 3 units in the last place.
//
// exp(x) = 2^k e^r with |r| <= ln 2 / 2 and a polynomial of degree 6 for e^r, after Cephes' expf.

import { splat } from './simd'

/** e^x; 0 below -103.97, Infinity above 88.73, NaN stays. */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  const bounded = f32x4.pmin(f32x4.pmax(x, splat(-104)), splat(89))
  const k = f32x4.nearest(f32x4.mul(bounded, splat(1.4426950408889634)))
  let r = f32x4.sub(bounded, f32x4.mul(k, splat(0.693359375)))
  r = f32x4.sub(r, f32x4.mul(k, splat(-2.12194440e-4)))
  let p = splat(1.9875691500e-4)
  p = f32x4.add(f32x4.mul(p, r), splat(1.3981999507e-3))
  p = f32x4.add(f32x4.mul(p, r), splat(8.3334519073e-3))
  p = f32x4.add(f32x4.mul(p, r), splat(4.1665795894e-2))
  p = f32x4.add(f32x4.mul(p, r), splat(1.6666665459e-1))
  p = f32x4.add(f32x4.mul(p, r), splat(5.0000001201e-1))
  p = f32x4.add(f32x4.add(f32x4.mul(f32x4.mul(p, r), r), r), splat(1))
  // 2^k in two factors: k reaches from -150 to 128, past the exponents of one float.
  const power = i32x4.trunc_sat_f32x4_s(k)
  const half = i32x4.shr_s(power, 1)
  const scale1 = i32x4.shl(i32x4.add(half, i32x4.splat(127)), 23)
  const scale2 = i32x4.shl(i32x4.add(i32x4.sub(power, half), i32x4.splat(127)), 23)
  return f32x4.mul(f32x4.mul(p, scale1), scale2)
}

/** 1 / (1 + e^-x). */
// @ts-ignore: decorator
@inline
export function sigmoid4(x: v128): v128 {
  return f32x4.div(splat(1), f32x4.add(splat(1), exp4(f32x4.neg(x))))
}

/** Near zero a rational function, after Cephes' tanhf; else 1 - 2 / (e^2|x| + 1) with the sign of x. */
// @ts-ignore: decorator
@inline
export function tanh4(x: v128): v128 {
  const size = f32x4.abs(x)
  const far = f32x4.sub(splat(1), f32x4.div(splat(2), f32x4.add(exp4(f32x4.add(size, size)), splat(1))))
  const signed = v128.or(far, v128.and(x, splat(-0.0)))
  const z = f32x4.mul(x, x)
  let p = splat(-5.70498872745e-3)
  p = f32x4.add(f32x4.mul(p, z), splat(2.06390887954e-2))
  p = f32x4.add(f32x4.mul(p, z), splat(-5.37397155531e-2))
  p = f32x4.add(f32x4.mul(p, z), splat(1.33314422036e-1))
  p = f32x4.add(f32x4.mul(p, z), splat(-3.33332819422e-1))
  const near = f32x4.add(f32x4.mul(f32x4.mul(p, z), x), x)
  return v128.bitselect(near, signed, f32x4.lt(size, splat(0.625)))
}
