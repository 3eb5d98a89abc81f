/** Sorting of many numbers by radix: a fixed number of passes, no comparisons. @module */

const DIGIT_BITS = 16
const BUCKETS = 1 << DIGIT_BITS
/** Fewer values than this are sorted by comparison: clearing the buckets would cost more. */
const FEW = 4096

/**
 * The positions of the values in ascending order; equal values keep their order.
 *
 * @param values - Numbers, none NaN.
 */
export function ascendingOrder(values: ArrayLike<number>): Uint32Array {
  const { length } = values
  const order = Uint32Array.from({ length }, (_, i) => i)
  if (length < FEW) return order.sort((a, b) => values[a]! - values[b]! || a - b)
  const keys = sortableKeys(values)
  const counts = new Uint32Array(BUCKETS)
  let from = order
  let to = new Uint32Array(length)
  // Float64 has four digits of 16 bits; the lower two of numbers that fit float32 are mostly alike and cost one look.
  for (let digit = 0; digit < 4; digit++) {
    const half = digit >> 1
    const shift = (digit & 1) * DIGIT_BITS
    counts.fill(0)
    for (let i = half; i < keys.length; i += 2) counts[(keys[i]! >>> shift) & (BUCKETS - 1)]!++
    if (counts[(keys[half]! >>> shift) & (BUCKETS - 1)] === length) continue
    let start = 0
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const count = counts[bucket]!
      counts[bucket] = start
      start += count
    }
    for (let i = 0; i < length; i++) {
      const position = from[i]!
      to[counts[(keys[position * 2 + half]! >>> shift) & (BUCKETS - 1)]!++] = position
    }
    ;[from, to] = [to, from]
  }
  return from
}

/** Bits of each value, low word first, changed so that they sort as unsigned integers do: negative values inverted. */
function sortableKeys(values: ArrayLike<number>): Uint32Array {
  const floats = Float64Array.from(values)
  const keys = new Uint32Array(floats.buffer)
  for (let i = 0; i < keys.length; i += 2) {
    const high = keys[i + 1]!
    if (high >>> 31) {
      keys[i] = ~keys[i]!
      keys[i + 1] = ~high
    } else keys[i + 1] = high ^ 0x80000000
  }
  return keys
}
