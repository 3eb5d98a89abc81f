// Running sums and products of [outer, size, inner] along the middle axis.

/** See ../exports.ts. */
export function cumulative(
  isProduct: i32,
  dtype: i32,
  input: usize,
  out: usize,
  outer: i32,
  size: i32,
  inner: i32,
  exclusive: i32,
  reverse: i32,
): void {
  if (dtype == 1) run<i32>(isProduct, input, out, outer, size, inner, exclusive, reverse)
  else run<f32>(isProduct, input, out, outer, size, inner, exclusive, reverse)
}

function run<T>(
  isProduct: i32,
  input: usize,
  out: usize,
  outer: i32,
  size: i32,
  inner: i32,
  exclusive: i32,
  reverse: i32,
): void {
  const step = reverse ? -inner : inner
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < inner; i++) {
      let at = o * size * inner + i + (reverse ? (size - 1) * inner : 0)
      // In float64, so that long sums keep their digits.
      let value: f64 = isProduct ? 1 : 0
      for (let s = 0; s < size; s++) {
        const element = <f64>load<T>(input + (<usize>at << 2))
        const next = isProduct ? value * element : value + element
        if (isFloat<T>()) store<f32>(out + (<usize>at << 2), <f32>(exclusive ? value : next))
        else store<i32>(out + (<usize>at << 2), <i32>(<i64>(exclusive ? value : next)))
        value = next
        at += step
      }
    }
}
