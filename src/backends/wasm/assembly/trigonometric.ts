// sin, cos and tan of four floats at a time where all are within 2^17, within 2 units in the last place of float64's
// (tan 4; tests hold it).
//
// x = k pi / 2 + r with |r| <= pi / 4: in float64, so that r keeps its digits near zeros of the function.

import { fma, MINUS_HALF, ONE, spread } from './simd'

/** Up to where `reduce` is accurate. */
const LIMIT = memory.data<f32>([131072])
/** Adding it rounds to the nearest integer, which then stands in the lowest bits. */
const ROUNDER = memory.data<f64>([6755399441055744])
const TWO_OVER_PI = memory.data<f64>([0.6366197723675814])
// pi / 2 in two parts: products of the first with k are exact.
const HALF_PI = memory.data<f64>([1.5707963267341256])
const HALF_PI_REST = memory.data<f64>([6.077100506506192e-11])
const S0 = memory.data<f32>([-0.16666655242443085])
const S1 = memory.data<f32>([8.33215843886137e-3])
const S2 = memory.data<f32>([-1.9514956511557102e-4])
const C0 = memory.data<f32>([4.166664555668831e-2])
const C1 = memory.data<f32>([-1.3887312961742282e-3])
const C2 = memory.data<f32>([2.443278208374977e-5])

/** Whether `sin4`, `cos4` and `tan4` hold for all four. */
// @ts-ignore: decorator
@inline
export function isWithinReach(x: v128): bool {
  return i32x4.all_true(f32x4.lt(f32x4.abs(x), spread(LIMIT)))
}

// @ts-ignore: decorator
@inline
function shiftedOf(x: v128): v128 {
  return f64x2.add(f64x2.mul(x, v128.load64_splat(TWO_OVER_PI)), v128.load64_splat(ROUNDER))
}

// @ts-ignore: decorator
@inline
function restOf(x: v128, shifted: v128): v128 {
  const k = f64x2.sub(shifted, v128.load64_splat(ROUNDER))
  const r = f64x2.sub(x, f64x2.mul(k, v128.load64_splat(HALF_PI)))
  return f32x4.demote_f64x2_zero(f64x2.sub(r, f64x2.mul(k, v128.load64_splat(HALF_PI_REST))))
}

// @ts-ignore: decorator
@inline
function sinOfRest(r: v128): v128 {
  const z = f32x4.mul(r, r)
  let p = fma(spread(S2), z, spread(S1))
  p = fma(p, z, spread(S0))
  return fma(f32x4.mul(p, z), r, r)
}

// @ts-ignore: decorator
@inline
function cosOfRest(r: v128): v128 {
  const z = f32x4.mul(r, r)
  let p = fma(spread(C2), z, spread(C1))
  p = fma(p, z, spread(C0))
  return fma(f32x4.mul(z, z), p, fma(z, spread(MINUS_HALF), spread(ONE)))
}

/** sin(x + quarter pi / 2). */
// @ts-ignore: decorator
@inline
function quarterTurned(x: v128, quarter: i32): v128 {
  const low = f64x2.promote_low_f32x4(x)
  const high = f64x2.promote_low_f32x4(i8x16.shuffle(x, x, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15))
  const shiftedLow = shiftedOf(low)
  const shiftedHigh = shiftedOf(high)
  const k = i32x4.add(
    i8x16.shuffle(shiftedLow, shiftedHigh, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27),
    i32x4.splat(quarter),
  )
  const r = i8x16.shuffle(
    restOf(low, shiftedLow),
    restOf(high, shiftedHigh),
    0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23,
  )
  // The lowest bit of k chooses the function, the next one the sign.
  const isOdd = i32x4.shr_s(i32x4.shl(k, 31), 31)
  const sign = i32x4.shl(i32x4.shr_u(k, 1), 31)
  return v128.xor(v128.bitselect(cosOfRest(r), sinOfRest(r), isOdd), sign)
}

// @ts-ignore: decorator
@inline
export function sin4(x: v128): v128 {
  return quarterTurned(x, 0)
}

// @ts-ignore: decorator
@inline
export function cos4(x: v128): v128 {
  return quarterTurned(x, 1)
}

// @ts-ignore: decorator
@inline
export function tan4(x: v128): v128 {
  return f32x4.div(sin4(x), cos4(x))
}
