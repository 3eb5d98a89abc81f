/** Rounding to bfloat16. @module */

import type { CudaDevice } from '../cuda-device.js'
import { defineModule, each } from './kernel-module.js'

/** For kernels that write bfloat16: the upper half of a float, rounded to the nearest, ties to even. */
export const bfloat16Source = `
typedef unsigned short bfloat16;
INLINE bfloat16 toBfloat16(float x) {
  unsigned bits = __float_as_uint(x);
  // A NaN stays one, also where its lower half alone says so.
  if (x != x) return bits >> 16 | 0x40;
  return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}
INLINE void store(float x, float *out) { *out = x; }
INLINE void store(float x, bfloat16 *out) { *out = toBfloat16(x); }
`

const bfloat16Module = defineModule(
  'bfloat16',
  `${bfloat16Source}
INLINE unsigned pairOf(float x, float y) { return toBfloat16(x) | (unsigned)toBfloat16(y) << 16; }
// Four at a time; what is left over goes to the first threads. out, and x if isAligned, are multiples of 16.
KERNEL roundToBfloat16(const float *x, bfloat16 *out, int n, int isAligned) {
  unsigned fours = isAligned ? (unsigned)n / 4 : 0;
  EACH(i, fours) {
    float4 four = reinterpret_cast<const float4 *>(x)[i];
    uint2 pairs;
    pairs.x = pairOf(four.x, four.y);
    pairs.y = pairOf(four.z, four.w);
    reinterpret_cast<uint2 *>(out)[i] = pairs;
  }
  EACH(i, n - 4 * fours) out[4 * fours + i] = toBfloat16(x[4 * fours + i]);
}
`,
)

export const bfloat16Modules = [bfloat16Module]

/** out = x as bfloat16, n elements. */
export function convert(device: Pick<CudaDevice, 'launch'>, x: number, out: number, n: number): void {
  const isAligned = x % 16 === 0
  const grid = each(isAligned ? Math.ceil(n / 4) : n)
  device.launch(bfloat16Module, 'roundToBfloat16', { arguments: 'rwnn' }, grid, [x, out, n, isAligned ? 1 : 0])
}
