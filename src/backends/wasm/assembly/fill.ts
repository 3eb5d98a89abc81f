// Setting, choosing, converting and adding up elements.

import { fma, splat } from './simd'

/** See ../exports.ts. */
export function select(condition: usize, a: usize, b: usize, out: usize, n: i32, inner: i32, elementBytes: i32): void {
  const bytes: usize = <usize>inner * elementBytes
  if (bytes == 4) {
    for (let i = 0; i < n; i++) {
      const at: usize = <usize>i << 2
      store<u32>(out + at, load<u8>(condition + i) ? load<u32>(a + at) : load<u32>(b + at))
    }
    return
  }
  for (let i = 0; i < n; i++) {
    const at: usize = <usize>i * bytes
    memory.copy(out + at, (load<u8>(condition + i) ? a : b) + at, bytes)
  }
}

/** See ../exports.ts. */
export function fill(dtype: i32, out: usize, n: i32, value: f64): void {
  if (dtype == 2) {
    memory.fill(out, <u8>(value != 0), n)
    return
  }
  const word = dtype == 0 ? i32x4.splat(reinterpret<i32>(<f32>value)) : i32x4.splat(<i32>(<i64>value))
  for (; n >= 4; n -= 4) {
    v128.store(out, word)
    out += 16
  }
  for (; n > 0; n--) {
    store<i32>(out, i32x4.extract_lane(word, 0))
    out += 4
  }
}

/** See ../exports.ts. */
export function cast(from: i32, to: i32, input: usize, out: usize, n: i32): void {
  if (from == 0) {
    if (to == 1) convert<f32, i32>(input, out, n)
    else if (to == 2) convert<f32, bool>(input, out, n)
    else convert<f32, f32>(input, out, n)
  } else if (from == 1) {
    if (to == 0) convert<i32, f32>(input, out, n)
    else if (to == 2) convert<i32, bool>(input, out, n)
    else convert<i32, i32>(input, out, n)
  } else {
    if (to == 0) widen(input, out, n)
    else if (to == 1) convert<u8, i32>(input, out, n)
    else convert<u8, bool>(input, out, n)
  }
}

/** Pixels to floats, sixteen at a time. */
function widen(input: usize, out: usize, n: i32): void {
  for (; n >= 16; n -= 16) {
    const bytes = v128.load(input)
    const low = v128.extend_low<u8>(bytes)
    const high = v128.extend_high<u8>(bytes)
    v128.store(out, f32x4.convert_i32x4_u(v128.extend_low<u16>(low)))
    v128.store(out, f32x4.convert_i32x4_u(v128.extend_high<u16>(low)), 16)
    v128.store(out, f32x4.convert_i32x4_u(v128.extend_low<u16>(high)), 32)
    v128.store(out, f32x4.convert_i32x4_u(v128.extend_high<u16>(high)), 48)
    input += 16
    out += 64
  }
  convert<u8, f32>(input, out, n)
}

function convert<From, To>(input: usize, out: usize, n: i32): void {
  for (let i = 0; i < n; i++) {
    const x = load<From>(input)
    if (isFloat<From>() && isInteger<To>() && !isBoolean<To>())
      // Saturates and takes NaN as 0, where the plain conversion traps.
      store<i32>(out, i32x4.extract_lane(i32x4.trunc_sat_f32x4_s(v128.load32_splat(input)), 0))
    else if (isBoolean<To>()) store<u8>(out, <u8>(x != 0))
    else store<To>(out, <To>x)
    input += sizeof<From>()
    out += sizeof<To>()
  }
}

/** See ../exports.ts. */
export function addInto(input: usize, out: usize, n: i32, scale: f32): void {
  const factor = splat(scale)
  for (; n >= 4; n -= 4) {
    v128.store(out, fma(factor, v128.load(input), v128.load(out)))
    input += 16
    out += 16
  }
  for (; n > 0; n--) {
    store<f32>(out, load<f32>(out) + scale * load<f32>(input))
    input += 4
    out += 4
  }
}
