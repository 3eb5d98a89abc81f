/** Sorting of many numbers by radix: a fixed number of passes, no comparisons. @module */

const DIGIT_BITS = 11
const BUCKETS = 1 << DIGIT_BITS
/** Fewer values than this are sorted by comparison: clearing the buckets would cost more. */
const FEW = 4096

/** Values in ascending order. */
export interface Ascending {
  /** Their positions before. */
  order: Uint32Array
  sorted: Float64Array
}

/**
 * Sorts values; equal ones keep their order.
 *
 * @param values - Numbers, none NaN. Not changed.
 */
export function ascending(values: ArrayLike<number>): Ascending {
  const { length } = values
  const order = new Uint32Array(length)
  for (let i = 0; i < length; i++) order[i] = i
  if (length < FEW) {
    order.sort((a, b) => values[a]! - values[b]! || a - b)
    return { order, sorted: Float64Array.from(order, (i) => values[i]!) }
  }
  // Both words of a key travel with its position, so that every pass but its scattered writes runs straight on.
  let from: Keyed = { position: order, ...sortableKeys(values) }
  let to: Keyed = { position: new Uint32Array(length), low: new Uint32Array(length), high: new Uint32Array(length) }
  const counts = new Uint32Array(BUCKETS)
  for (const word of ['low', 'high'] as const)
    for (let shift = 0; shift < 32; shift += DIGIT_BITS) {
      if (!startsOf(from[word], shift, counts)) continue
      move(from, to, from[word], shift, counts)
      ;[from, to] = [to, from]
    }
  return { order: from.position, sorted: valuesOfKeys(from) }
}

/**
 * The same without positions, and faster by much where all values are float32.
 *
 * @param values - None NaN. Not changed.
 */
export function sortedNumbers(values: Float64Array): Float64Array {
  const narrow = new Float32Array(values)
  if (values.length < FEW || !isSame(narrow, values)) return values.slice().sort()
  let from = sortableBits(new Uint32Array(narrow.buffer))
  let to = new Uint32Array(from.length)
  const starts = new Uint32Array(BUCKETS)
  for (let shift = 0; shift < 32; shift += DIGIT_BITS) {
    if (!startsOf(from, shift, starts)) continue
    for (let i = 0; i < from.length; i++) to[starts[(from[i]! >>> shift) & (BUCKETS - 1)]!++] = from[i]!
    ;[from, to] = [to, from]
  }
  return new Float64Array(new Float32Array(bitsOfSortable(from).buffer))
}

function isSame(first: Float32Array, second: Float64Array): boolean {
  for (let i = 0; i < first.length; i++) if (first[i] !== second[i]) return false
  return true
}

/** Bits of float32, changed in place so that they sort as unsigned integers do: negative values inverted. */
function sortableBits(bits: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  for (let i = 0; i < bits.length; i++) bits[i]! ^= (bits[i]! >> 31) | 0x80000000
  return bits
}

function bitsOfSortable(keys: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  for (let i = 0; i < keys.length; i++) keys[i]! ^= (~keys[i]! >> 31) | 0x80000000
  return keys
}

interface Keyed {
  position: Uint32Array
  low: Uint32Array
  high: Uint32Array
}

/** Where each bucket begins; false where all keys have the same digit, as the low ones of numbers that fit float32. */
function startsOf(keys: Uint32Array, shift: number, counts: Uint32Array): boolean {
  counts.fill(0)
  for (let i = 0; i < keys.length; i++) counts[(keys[i]! >>> shift) & (BUCKETS - 1)]!++
  if (counts[(keys[0]! >>> shift) & (BUCKETS - 1)] === keys.length) return false
  let start = 0
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    const count = counts[bucket]!
    counts[bucket] = start
    start += count
  }
  return true
}

function move(from: Keyed, to: Keyed, keys: Uint32Array, shift: number, starts: Uint32Array): void {
  const { position, low, high } = from
  for (let i = 0; i < keys.length; i++) {
    const place = starts[(keys[i]! >>> shift) & (BUCKETS - 1)]!++
    to.position[place] = position[i]!
    to.low[place] = low[i]!
    to.high[place] = high[i]!
  }
}

/** Bits of each value in two words, changed so that they sort as unsigned integers do: negative values inverted. */
function sortableKeys(values: ArrayLike<number>): { low: Uint32Array; high: Uint32Array } {
  const words = new Uint32Array(new Float64Array(values).buffer)
  const low = new Uint32Array(values.length)
  const high = new Uint32Array(values.length)
  for (let i = 0; i < values.length; i++) {
    const top = words[i * 2 + 1]!
    const isNegative = top >>> 31
    low[i] = isNegative ? ~words[i * 2]! : words[i * 2]!
    high[i] = isNegative ? ~top : top ^ 0x80000000
  }
  return { low, high }
}

function valuesOfKeys({ low, high }: Keyed): Float64Array {
  const values = new Float64Array(low.length)
  const words = new Uint32Array(values.buffer)
  for (let i = 0; i < low.length; i++) {
    const isNegative = high[i]! >>> 31 === 0
    words[i * 2] = isNegative ? ~low[i]! : low[i]!
    words[i * 2 + 1] = isNegative ? ~high[i]! : high[i]! ^ 0x80000000
  }
  return values
}
