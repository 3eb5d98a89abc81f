// Four floats at a time: what the operations share.

/** Constants stand in memory, a pointer each, for `spread`. */
export const ZERO = memory.data<i32>([0])
export const ONE = memory.data<f32>([1])
export const HALF = memory.data<f32>([0.5])
export const MINUS_HALF = memory.data<f32>([-0.5])
export const MINUS_INFINITY = memory.data<f32>([-Infinity])
/** The bit that holds the sign. */
export const SIGN = memory.data<f32>([-0.0])

// @ts-ignore: decorator
@inline
export function fma(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c)
  else return f32x4.add(f32x4.mul(a, b), c)
}

// @ts-ignore: decorator
@inline
export function splat(x: f32): v128 {
  return f32x4.splat(x)
}

/** The float or int32 at a pointer, four times: engines build a vector that is constant anew at each use, which is slower. */
// @ts-ignore: decorator
@inline
export function spread(p: usize): v128 {
  return v128.load32_splat(p)
}

// @ts-ignore: decorator
@inline
export function sumOfLanes(x: v128): f32 {
  return (
    f32x4.extract_lane(x, 0) + f32x4.extract_lane(x, 1) + (f32x4.extract_lane(x, 2) + f32x4.extract_lane(x, 3))
  )
}

/** lo where x < lo, hi where x > hi; NaN stays. */
// @ts-ignore: decorator
@inline
export function clip(x: v128, lo: v128, hi: v128): v128 {
  return f32x4.pmin(f32x4.pmax(x, lo), hi)
}

/** The first `count` floats of four, zeros beyond them; reads no further. */
// @ts-ignore: decorator
@inline
export function loadLanes(from: usize, count: i32): v128 {
  if (count >= 4) return v128.load(from)
  if (count == 1) return v128.load32_zero(from)
  const two = v128.load64_zero(from)
  return count == 2 ? two : v128.load32_lane(from, two, 2, 8)
}

/** Stores the first `count` floats of four. */
// @ts-ignore: decorator
@inline
export function storeLanes(to: usize, x: v128, count: i32): void {
  if (count >= 4) v128.store(to, x)
  else if (count == 1) v128.store32_lane(to, x, 0)
  else {
    v128.store64_lane(to, x, 0)
    if (count == 3) v128.store32_lane(to, x, 2, 8)
  }
}

const MASKS = memory.data<i32>([-1, -1, -1, 0, 0, 0])

/** All bits of the first `count` of four lanes, 1 to 3. */
// @ts-ignore: decorator
@inline
export function maskOf(count: i32): v128 {
  return v128.load(MASKS + (<usize>(3 - count) << 2))
}
