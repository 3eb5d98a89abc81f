/**
 * Size classes of memory: four to each power of two, so that a freed range serves the next request of its class.
 * @module
 */

/** The smallest class in bytes, and what pointers are aligned to: a cache line, and a multiple of every SIMD width. */
export const CLASS_BYTES = 64

/**
 * Classes 0 to 3 hold 64, 128, 192 and 256 bytes; from there each power of two is divided into four steps:
 * 320, 384, 448, 512, 640, ...
 */
export function classOfSize(sizeBytes: number): number {
  const units = Math.max(1, Math.ceil(sizeBytes / CLASS_BYTES))
  if (units <= 4) return units - 1
  // 2^power < units <= 2^(power + 1)
  const power = 31 - Math.clz32(units - 1)
  const step = 2 ** (power - 2)
  return 4 * (power - 2) + 3 + Math.ceil((units - 2 ** power) / step)
}

/** Bytes that ranges of a class have. */
export function bytesOfClass(sizeClass: number): number {
  if (sizeClass < 4) return (sizeClass + 1) * CLASS_BYTES
  const power = Math.floor((sizeClass - 4) / 4) + 2
  const steps = ((sizeClass - 4) % 4) + 1
  return (2 ** power + steps * 2 ** (power - 2)) * CLASS_BYTES
}
