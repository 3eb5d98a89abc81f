/** Sums of float32 arrays, four values at a time. Arguments are byte offsets, and lengths in elements. */

/** into = a + b, which may be one array. */
export function add(into: usize, a: usize, b: usize, length: usize): void {
  const end = into + (length << 2)
  for (; into + 64 <= end; into += 64, a += 64, b += 64) {
    v128.store(into, f32x4.add(v128.load(a), v128.load(b)))
    v128.store(into, f32x4.add(v128.load(a, 16), v128.load(b, 16)), 16)
    v128.store(into, f32x4.add(v128.load(a, 32), v128.load(b, 32)), 32)
    v128.store(into, f32x4.add(v128.load(a, 48), v128.load(b, 48)), 48)
  }
  for (; into < end; into += 4, a += 4, b += 4) store<f32>(into, load<f32>(a) + load<f32>(b))
}

/** Divides each value, in place. */
export function divide(array: usize, length: usize, divisor: f32): void {
  const end = array + (length << 2)
  const divisors = f32x4.splat(divisor)
  for (; array + 16 <= end; array += 16) v128.store(array, f32x4.div(v128.load(array), divisors))
  for (; array < end; array += 4) store<f32>(array, load<f32>(array) / divisor)
}
