/** A few elements of a long array as one message. @module */

/** Exponent and the upper 7 bits of the fraction: what elements are sorted by. */
const BINS = 1 << 15

/**
 * Takes the `count` elements of largest magnitude out of an array; each keeps what rounding to bfloat16 leaves of it.
 *
 * The message: bytes and elements as two words; then for each element the distance to the one before, 7 bits a byte, and
 * a bfloat16. Elements whose magnitudes differ by less than 1 % may stand in for each other.
 */
export function encodeSparse(values: Float32Array, count: number): Int32Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length)
  const { bin, rest } = thresholdOf(bits, count)
  // A distance needs 5 bytes at most.
  const bytes = new Uint8Array(count * 7)
  let at = 0
  let before = -1
  let written = 0
  let left = rest
  for (let i = 0; i < bits.length; i++) {
    const magnitude = (bits[i]! & 0x7fffffff) >>> 16
    if (magnitude < bin || (magnitude === bin && left-- <= 0)) continue
    let distance = i - before
    before = i
    while (distance > 127) {
      bytes[at++] = (distance & 127) | 128
      distance >>>= 7
    }
    bytes[at++] = distance
    const half = roundedHalf(bits[i]!)
    bytes[at++] = half & 255
    bytes[at++] = half >>> 8
    values[i]! -= fromHalf(half)
    written++
  }
  const words = new Int32Array(2 + Math.ceil(at / 4))
  words[0] = at
  words[1] = written
  new Uint8Array(words.buffer).set(bytes.subarray(0, at), 8)
  return words
}

/** The elements of messages that lie one after another: `[index, value]`. */
export function* messagesOf(words: Int32Array): Generator<Generator<[number, number]>> {
  for (let start = 0; start < words.length; start += 2 + Math.ceil(words[start]! / 4))
    yield decodeSparse(words.subarray(start))
}

function* decodeSparse(words: Int32Array): Generator<[number, number]> {
  const bytes = new Uint8Array(words.buffer, words.byteOffset + 8, words[0]!)
  let at = 0
  let index = -1
  for (let element = 0; element < words[1]!; element++) {
    let distance = 0
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!
      distance |= (byte & 127) << shift
      if (byte < 128) break
    }
    index += distance
    yield [index, fromHalf(bytes[at]! | (bytes[at + 1]! << 8))]
    at += 2
  }
}

/** The bin that holds the last of the largest, and how many of that bin are among them. */
function thresholdOf(bits: Uint32Array, count: number): { bin: number; rest: number } {
  const bins = new Uint32Array(BINS)
  for (let i = 0; i < bits.length; i++) bins[(bits[i]! & 0x7fffffff) >>> 16]!++
  let rest = count
  for (let bin = BINS - 1; bin > 0; bin--) {
    if (bins[bin]! >= rest) return { bin, rest }
    rest -= bins[bin]!
  }
  return { bin: 0, rest: 0 }
}

/** bfloat16, to the nearest; a magnitude that would become infinite is cut, the rest of it goes with the next. */
function roundedHalf(bits: number): number {
  const rounded = (bits + 0x8000) >>> 16
  return (rounded & 0x7fff) === 0x7f80 ? bits >>> 16 : rounded
}

const word = new Uint32Array(1)
const float = new Float32Array(word.buffer)

function fromHalf(half: number): number {
  word[0] = half << 16
  return float[0]!
}
