// Batch normalization with given moments.

/** See ../exports.ts. */
export function batchNorm(
  x: usize,
  mean: usize,
  variance: usize,
  scale: usize,
  offset: usize,
  out: usize,
  rows: i32,
  channels: i32,
  epsilon: f32,
): void {
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < channels; c++) {
      const i: usize = <usize>c << 2
      const factor: f32 = (scale ? load<f32>(scale + i) : 1) / sqrt<f32>(load<f32>(variance + i) + epsilon)
      store<f32>(out, (load<f32>(x) - load<f32>(mean + i)) * factor + (offset ? load<f32>(offset + i) : 0))
      x += 4
      out += 4
    }
}
