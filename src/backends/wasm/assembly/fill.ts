// Setting, choosing, converting and adding up elements.

import { compareRow } from './compare'
import { copyFloats } from './copy'
import { fma, loadLanes, splat, storeLanes, ZERO } from './simd'

/** See ../exports.ts. */
export function select(condition: usize, a: usize, b: usize, out: usize, n: i32, inner: i32, elementBytes: i32): void {
  const bytes: usize = <usize>inner * elementBytes
  if (bytes == 4) {
    const zero = i32x4.splat(0)
    let i = 0
    for (; i + 4 <= n; i += 4) {
      const at: usize = <usize>i << 2
      const bits = v128.extend_low<u16>(v128.extend_low<u8>(v128.load32_zero(condition + i)))
      v128.store(out + at, v128.bitselect(v128.load(a + at), v128.load(b + at), i32x4.ne(bits, zero)))
    }
    for (; i < n; i++) {
      const at: usize = <usize>i << 2
      store<u32>(out + at, load<u8>(condition + i) ? load<u32>(a + at) : load<u32>(b + at))
    }
    return
  }
  if (bytes == 1) {
    for (let i = 0; i < n; i++) store<u8>(out + i, load<u8>(condition + i) ? load<u8>(a + i) : load<u8>(b + i))
    return
  }
  for (let i = 0; i < n; i++) {
    const at: usize = <usize>i * bytes
    const from: usize = (load<u8>(condition + i) ? a : b) + at
    if (elementBytes == 4) copyFloats(from, out + at, inner)
    else memory.copy(out + at, from, bytes)
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
  // What is not 0 is true.
  if (to == 2) compareRow(1, from, input, ZERO, out, n, 1, 0)
  else if (from == 2) {
    if (to == 0) widen(input, out, n)
    else convert<u8, i32>(input, out, n)
  } else if (from == to) copyFloats(input, out, n)
  else {
    for (; n > 0; n -= 4) {
      const x = loadLanes(input, n)
      // To int32 it saturates and takes NaN as 0.
      storeLanes(out, from == 0 ? i32x4.trunc_sat_f32x4_s(x) : f32x4.convert_i32x4_s(x), n)
      input += 16
      out += 16
    }
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
    store<To>(out, <To>load<From>(input))
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
