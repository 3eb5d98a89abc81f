// Powers of four floats at a time, in float64: 2^(y log2 x), which keeps all digits of float32 however large y log2 x is.
//
// log2 x = e + 2 / ln 2 atanh(t), t = (m - 1) / (m + 1), x = 2^e m with m from 0.707 to 1.414 (series to t^15); 2^r by its
// series to r^9 for |r| <= 1/2. Relative errors 2e-12 and 2e-10, so that a power is the nearest float32 but where
// it lies within 1e-3 units in the last place of the middle of two (tests hold 0.51).

import { splat } from './simd'

/** What is taken from the bits of a float64 so that its exponent becomes that of m. */
const ROOT_HALF: i64 = 0x3fe6a09e00000000
const MANTISSA: i64 = 0x000fffffffffffff
/** Powers of 2 past these are 0 and Infinity in float32. */
const LOWEST: f64 = -152
const HIGHEST: f64 = 130

/** Whether `power4` takes these: x from above 0 to below Infinity, y finite. */
// @ts-ignore: decorator
@inline
export function isPlainPower(x: v128, y: v128): bool {
  const within = v128.and(f32x4.gt(x, splat(0)), f32x4.lt(x, splat(Infinity)))
  return i32x4.all_true(v128.and(within, f32x4.lt(f32x4.abs(y), splat(Infinity))))
}

/** x^y of those that `isPlainPower` takes. */
// @ts-ignore: decorator
@inline
export function power4(x: v128, y: v128): v128 {
  const low = power2(f64x2.promote_low_f32x4(x), f64x2.promote_low_f32x4(y))
  const high = power2(f64x2.promote_low_f32x4(upper(x)), f64x2.promote_low_f32x4(upper(y)))
  const first = f32x4.demote_f64x2_zero(low)
  const second = f32x4.demote_f64x2_zero(high)
  return v128.shuffle<f32>(first, second, 0, 1, 4, 5)
}

// @ts-ignore: decorator
@inline
function upper(x: v128): v128 {
  return v128.shuffle<f32>(x, x, 2, 3, 0, 1)
}

function power2(x: v128, y: v128): v128 {
  // Exponent such that m lies around 1.
  const shifted = i64x2.sub(x, i64x2.splat(ROOT_HALF))
  const e = i64x2.shr_s(shifted, 52)
  const m = i64x2.add(v128.and(shifted, i64x2.splat(MANTISSA)), i64x2.splat(ROOT_HALF))
  const exponent = f64x2.convert_low_i32x4_s(v128.shuffle<i32>(e, e, 0, 2, 0, 2))
  const one = f64x2.splat(1)
  const t = f64x2.div(f64x2.sub(m, one), f64x2.add(m, one))
  const z = f64x2.mul(t, t)
  let p = f64x2.splat(1.0 / 15)
  p = f64x2.add(f64x2.mul(p, z), f64x2.splat(1.0 / 13))
  p = f64x2.add(f64x2.mul(p, z), f64x2.splat(1.0 / 11))
  p = f64x2.add(f64x2.mul(p, z), f64x2.splat(1.0 / 9))
  p = f64x2.add(f64x2.mul(p, z), f64x2.splat(1.0 / 7))
  p = f64x2.add(f64x2.mul(p, z), f64x2.splat(1.0 / 5))
  p = f64x2.add(f64x2.mul(p, z), f64x2.splat(1.0 / 3))
  p = f64x2.add(f64x2.mul(p, z), one)
  // 2 / ln 2.
  const log = f64x2.add(exponent, f64x2.mul(f64x2.mul(p, t), f64x2.splat(2.885390081777927)))
  const product = f64x2.mul(y, log)
  const bounded = f64x2.min(f64x2.max(product, f64x2.splat(LOWEST)), f64x2.splat(HIGHEST))
  const k = f64x2.nearest(bounded)
  const r = f64x2.mul(f64x2.sub(bounded, k), f64x2.splat(0.6931471805599453))
  let q = f64x2.splat(1.0 / 362880)
  q = f64x2.add(f64x2.mul(q, r), f64x2.splat(1.0 / 40320))
  q = f64x2.add(f64x2.mul(q, r), f64x2.splat(1.0 / 5040))
  q = f64x2.add(f64x2.mul(q, r), f64x2.splat(1.0 / 720))
  q = f64x2.add(f64x2.mul(q, r), f64x2.splat(1.0 / 120))
  q = f64x2.add(f64x2.mul(q, r), f64x2.splat(1.0 / 24))
  q = f64x2.add(f64x2.mul(q, r), f64x2.splat(1.0 / 6))
  q = f64x2.add(f64x2.mul(q, r), f64x2.splat(0.5))
  q = f64x2.add(f64x2.mul(q, r), one)
  q = f64x2.add(f64x2.mul(q, r), one)
  const whole = i32x4.trunc_sat_f64x2_s_zero(k)
  const bits = i64x2.shl(i64x2.add(i64x2.extend_low_i32x4_s(whole), i64x2.splat(1023)), 52)
  return f64x2.mul(q, bits)
}
