// Philox 4x32-10, the function of src/core/philox.ts.

/** See ../exports.ts. */
export function philoxFill(
  out: usize,
  rows: i32,
  rowSize: i32,
  kind: i32,
  rate: f64,
  seed: u32,
  step: u32,
  firstRow: u32,
  stream: u32,
): void {
  const kept = <f32>(1 / (1 - rate))
  for (let row = 0; row < rows; row++)
    for (let start = 0; start < rowSize; start += 4) {
      let c0: u32 = start >>> 2
      let c1: u32 = firstRow + row
      let c2 = step
      let c3 = stream
      let k0 = seed
      let k1: u32 = 0xffffffff
      for (let round = 0; round < 10; round++) {
        const product0 = <u64>0xd2511f53 * <u64>c0
        const product1 = <u64>0xcd9e8d57 * <u64>c2
        c0 = <u32>(product1 >> 32) ^ c1 ^ k0
        c1 = <u32>product1
        c2 = <u32>(product0 >> 32) ^ c3 ^ k1
        c3 = <u32>product0
        k0 += 0x9e3779b9
        k1 += 0xbb67ae85
      }
      const lanes = min(4, rowSize - start)
      if (kind == 1) {
        normals(out, c0, c1, lanes)
        if (lanes > 2) normals(out + 8, c2, c3, lanes - 2)
      } else
        for (let lane = 0; lane < lanes; lane++) {
          const u = uniform(lane == 0 ? c0 : lane == 1 ? c1 : lane == 2 ? c2 : c3)
          store<f32>(out + (lane << 2), kind == 0 ? <f32>u : u >= rate ? kept : 0)
        }
      out += <usize>lanes << 2
    }
}

// @ts-ignore: decorator
@inline
function uniform(word: u32): f64 {
  return <f64>(word >>> 8) * (1.0 / 16777216)
}

/** One Box-Muller pair, or its first half. */
function normals(out: usize, first: u32, second: u32, count: i32): void {
  const radius = Math.sqrt(-2 * Math.log(1 - uniform(first)))
  const angle = 2 * Math.PI * uniform(second)
  store<f32>(out, <f32>(radius * Math.cos(angle)))
  if (count > 1) store<f32>(out, <f32>(radius * Math.sin(angle)), 4)
}
