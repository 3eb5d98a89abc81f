/** float32 in half of its bytes: IEEE float16 and bfloat16, rounded to the nearest, ties to even. @module */

/** A floating-point format of 16 bits. */
export type HalfFormat = 'float16' | 'bfloat16'

/**
 * Rounds float32 values to 16 bits.
 *
 * float16 holds 11 significant bits up to 65,504, and what is larger becomes infinite; bfloat16 holds 8 in the range of
 * float32. Not-a-number stays so.
 *
 * @param into - Receives the bits, `[values.length]`.
 * @see IEEE 754-2019, 3.6; bfloat16: https://doi.org/10.48550/arXiv.1905.12322
 */
export function encodeHalfFloats(format: HalfFormat, values: Float32Array, into: Uint16Array): void {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length)
  const encode = format === 'float16' ? toFloat16 : toBfloat16
  for (let i = 0; i < bits.length; i++) into[i] = encode(bits[i]!)
}

/** The inverse of `encodeHalfFloats`, exact. @param into - Receives the values, `[halves.length]`. */
export function decodeHalfFloats(format: HalfFormat, halves: Uint16Array, into: Float32Array): void {
  if (format === 'float16') {
    for (let i = 0; i < halves.length; i++) into[i] = fromFloat16(halves[i]!)
    return
  }
  const bits = new Uint32Array(into.buffer, into.byteOffset, into.length)
  for (let i = 0; i < halves.length; i++) bits[i] = halves[i]! << 16
}

function toBfloat16(bits: number): number {
  // The quiet bit is set: a number that only low bits mark as none would become infinite.
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16
}

function toFloat16(bits: number): number {
  const sign = (bits >>> 16) & 0x8000
  const magnitude = bits & 0x7fffffff
  if (magnitude > 0x7f800000) return sign | 0x7e00
  // 65,520: from here on the nearest float16 is infinite.
  if (magnitude >= 0x477ff000) return sign | 0x7c00
  // 2^-14 and above are normal: drop 13 bits of the fraction, lessen the exponent's bias from 127 to 15.
  if (magnitude >= 0x38800000) return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13)
  // Half of the smallest, 2^-25, and below round to 0.
  if (magnitude <= 0x33000000) return sign
  const shift = 126 - (magnitude >>> 23)
  const fraction = (magnitude & 0x7fffff) | 0x800000
  const half = 1 << (shift - 1)
  return sign | ((fraction + half - 1 + ((fraction >>> shift) & 1)) >>> shift)
}

function fromFloat16(half: number): number {
  const exponent = (half >>> 10) & 31
  const fraction = half & 0x3ff
  const sign = half & 0x8000 ? -1 : 1
  if (exponent === 31) return fraction ? Number.NaN : sign * Infinity
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25)
}
