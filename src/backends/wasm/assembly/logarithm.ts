// Logarithms of four floats at a time.
//
// x = 2^e (1 + f) with 1 + f in [sqrt 1/2, sqrt 2), and log(1 + f) = f - f^2 / 2 + f^3 R(f) with a minimax R of degree 7
// (relative error 6e-9). Errors against float64, in units in the last place, over all floats (tests hold them):
// log 1, log1p 2.

import { fma, MINUS_HALF, ONE, splat, spread } from './simd'

// ln 2 in two parts: products of the first with e are exact.
const LN2_HIGH = memory.data<f32>([0.693359375])
const LN2_LOW = memory.data<f32>([-2.12194440e-4])
/** As int32: the bits of sqrt 1/2. */
const ROOT_HALF = memory.data<i32>([0x3f3504f3])
const SMALLEST_NORMAL = memory.data<f32>([1.1754943508222875e-38])
const INFINITE = memory.data<f32>([Infinity])
const R0 = memory.data<f32>([0.3333333134651184])
const R1 = memory.data<f32>([-0.250008225440979])
const R2 = memory.data<f32>([0.20001226663589478])
const R3 = memory.data<f32>([-0.16623356938362122])
const R4 = memory.data<f32>([0.14201763272285461])
const R5 = memory.data<f32>([-0.1316019743680954])
const R6 = memory.data<f32>([0.12761546671390533])
const R7 = memory.data<f32>([-7.634419947862625e-2])

/** Of normal numbers above 0. */
// @ts-ignore: decorator
@inline
function logOfNormal(x: v128): v128 {
  const offset = i32x4.sub(x, spread(ROOT_HALF))
  const power = i32x4.shr_s(offset, 23)
  const f = f32x4.sub(i32x4.sub(x, i32x4.shl(power, 23)), spread(ONE))
  const e = f32x4.convert_i32x4_s(power)
  let r = fma(spread(R7), f, spread(R6))
  r = fma(r, f, spread(R5))
  r = fma(r, f, spread(R4))
  r = fma(r, f, spread(R3))
  r = fma(r, f, spread(R2))
  r = fma(r, f, spread(R1))
  r = fma(r, f, spread(R0))
  const square = f32x4.mul(f, f)
  const rest = fma(f32x4.mul(square, f), r, f32x4.mul(e, spread(LN2_LOW)))
  return fma(e, spread(LN2_HIGH), f32x4.add(f, fma(square, spread(MINUS_HALF), rest)))
}

/** log x; -Infinity at 0, NaN below. */
// @ts-ignore: decorator
@inline
export function log4(x: v128): v128 {
  const isNormal = v128.and(f32x4.ge(x, spread(SMALLEST_NORMAL)), f32x4.lt(x, spread(INFINITE)))
  return i32x4.all_true(isNormal) ? logOfNormal(x) : logOfAny(x, isNormal)
}

function logOfAny(x: v128, isNormal: v128): v128 {
  // Numbers below the normal ones times 2^23, whose logarithm is taken off again.
  const isTiny = v128.and(f32x4.gt(x, splat(0)), f32x4.lt(x, spread(SMALLEST_NORMAL)))
  const scaled = v128.bitselect(f32x4.mul(x, splat(8388608)), x, isTiny)
  const y = f32x4.sub(logOfNormal(scaled), v128.and(splat(15.942385152878742), isTiny))
  // Infinity and NaN stay.
  const edge = v128.bitselect(x, splat(NaN), f32x4.ge(x, splat(0)))
  const other = v128.bitselect(splat(-Infinity), edge, f32x4.eq(x, splat(0)))
  return v128.bitselect(y, other, v128.or(isNormal, isTiny))
}

/** log(1 + x): that of u = 1 + x and, to first order, of what rounding took from x. */
// @ts-ignore: decorator
@inline
export function log1p4(x: v128): v128 {
  const u = f32x4.add(x, spread(ONE))
  const lost = f32x4.sub(x, f32x4.sub(u, spread(ONE)))
  // Nothing is lost at -1 and at Infinity.
  const correction = v128.and(f32x4.div(lost, u), f32x4.gt(f32x4.abs(lost), splat(0)))
  return f32x4.add(log4(u), correction)
}

/** log(1 + x) for x in 0 .. 1; NaN stays. */
// @ts-ignore: decorator
@inline
export function logOfOnePlus4(x: v128): v128 {
  const u = f32x4.add(x, spread(ONE))
  const lost = f32x4.sub(x, f32x4.sub(u, spread(ONE)))
  return f32x4.add(logOfNormal(u), f32x4.div(lost, u))
}
