// Relations of two inputs, element by element, with broadcasting. Codes as in ../exports.ts.

/** See ../exports.ts. */
export function compare(
  code: i32,
  dtype: i32,
  a: usize,
  b: usize,
  out: usize,
  rows: i32,
  inner: i32,
  rowStrideA: i32,
  stepA: i32,
  rowStrideB: i32,
  stepB: i32,
): void {
  const shift: usize = dtype == 2 ? 0 : 2
  for (let r = 0; r < rows; r++) {
    compareRow(code, dtype, a, b, out, inner, stepA, stepB)
    a += <usize>rowStrideA << shift
    b += <usize>rowStrideB << shift
    out += inner
  }
}

export function compareRow(
  code: i32,
  dtype: i32,
  a: usize,
  b: usize,
  out: usize,
  n: i32,
  stepA: i32,
  stepB: i32,
): void {
  if (n >= 16 && stepA) {
    // Sixteen at a time; then the rest.
    if (dtype == 2) sixteenBytes(code, a, b, out, n, stepB)
    else if (dtype == 0) sixteen<f32>(code, a, b, out, n, stepB)
    else sixteen<i32>(code, a, b, out, n, stepB)
    const done: usize = <usize>(n & ~15)
    const shift: usize = dtype == 2 ? 0 : 2
    a += done << shift
    if (stepB) b += done << shift
    out += done
    n &= 15
  }
  if (dtype == 0) relate<f32>(code, a, b, out, n, stepA, stepB)
  else if (dtype == 1) relate<i32>(code, a, b, out, n, stepA, stepB)
  else relate<u8>(code, a, b, out, n, stepA, stepB)
}

function sixteen<T>(code: i32, a: usize, b: usize, out: usize, n: i32, stepB: i32): void {
  const one = i8x16.splat(1)
  const y = v128.load32_splat(b)
  for (; n >= 16; n -= 16) {
    const m0 = related<T>(code, v128.load(a), stepB ? v128.load(b) : y)
    const m1 = related<T>(code, v128.load(a, 16), stepB ? v128.load(b, 16) : y)
    const m2 = related<T>(code, v128.load(a, 32), stepB ? v128.load(b, 32) : y)
    const m3 = related<T>(code, v128.load(a, 48), stepB ? v128.load(b, 48) : y)
    const bytes = i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(m0, m1), i16x8.narrow_i32x4_s(m2, m3))
    v128.store(out, v128.and(bytes, one))
    a += 64
    if (stepB) b += 64
    out += 16
  }
}

// @ts-ignore: decorator
@inline
function related<T>(code: i32, x: v128, y: v128): v128 {
  switch (code) {
    case 0: return v128.eq<T>(x, y)
    case 1: return v128.ne<T>(x, y)
    case 2: return v128.lt<T>(x, y)
    case 3: return v128.le<T>(x, y)
    case 4: return v128.gt<T>(x, y)
  }
  return v128.ge<T>(x, y)
}

function sixteenBytes(code: i32, a: usize, b: usize, out: usize, n: i32, stepB: i32): void {
  const one = i8x16.splat(1)
  const zero = i8x16.splat(0)
  for (; n >= 16; n -= 16) {
    const x = v128.load(a)
    const y = stepB ? v128.load(b) : v128.load8_splat(b)
    let is = zero
    if (code < 6) {
      switch (code) {
        case 0: is = i8x16.eq(x, y); break
        case 1: is = i8x16.ne(x, y); break
        case 2: is = i8x16.lt_u(x, y); break
        case 3: is = i8x16.le_u(x, y); break
        case 4: is = i8x16.gt_u(x, y); break
        case 5: is = i8x16.ge_u(x, y); break
      }
    } else {
      const p = i8x16.ne(x, zero)
      const q = i8x16.ne(y, zero)
      is = code == 6 ? v128.and(p, q) : code == 7 ? v128.or(p, q) : v128.xor(p, q)
    }
    v128.store(out, v128.and(is, one))
    a += 16
    if (stepB) b += 16
    out += 16
  }
}

function relate<T>(code: i32, a: usize, b: usize, out: usize, n: i32, stepA: i32, stepB: i32): void {
  const nextA: usize = <usize>stepA * sizeof<T>()
  const nextB: usize = <usize>stepB * sizeof<T>()
  for (let i = 0; i < n; i++) {
    const x = load<T>(a)
    const y = load<T>(b)
    let is = false
    switch (code) {
      case 0: is = x == y; break
      case 1: is = x != y; break
      case 2: is = x < y; break
      case 3: is = x <= y; break
      case 4: is = x > y; break
      case 5: is = x >= y; break
      case 6: is = (x != 0) && (y != 0); break
      case 7: is = (x != 0) || (y != 0); break
      case 8: is = (x != 0) != (y != 0); break
    }
    store<u8>(out + i, <u8>is)
    a += nextA
    b += nextB
  }
}
