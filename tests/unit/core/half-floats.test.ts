import { describe, expect, it } from 'vitest'
import { decodeHalfFloats, encodeHalfFloats, type HalfFormat, Random } from '../../../src/core/index.js'

const decode = (format: HalfFormat, ...halves: number[]) => {
  const values = new Float32Array(halves.length)
  decodeHalfFloats(format, Uint16Array.from(halves), values)
  return [...values]
}
const encode = (format: HalfFormat, ...values: number[]) => {
  const halves = new Uint16Array(values.length)
  encodeHalfFloats(format, Float32Array.from(values), halves)
  return [...halves]
}

describe.each([
  {
    format: 'float16' as const,
    infinity: 0x7c00,
    // From the tables of IEEE 754: 1, the nearest to a third, the largest, the smallest normal and subnormal.
    known: [
      [0x3c00, 1],
      [0xbc00, -1],
      [0x3555, 0.333251953125],
      [0x7bff, 65504],
      [0x0400, 2 ** -14],
      [0x0001, 2 ** -24],
      [0x8000, -0],
    ],
  },
  {
    format: 'bfloat16' as const,
    infinity: 0x7f80,
    known: [
      [0x3f80, 1],
      [0xbf80, -1],
      [0x4049, 3.140625],
      [0x7f7f, (2 - 2 ** -7) * 2 ** 127],
      [0x0080, 2 ** -126],
      [0x0001, 2 ** -133],
      [0x8000, -0],
    ],
  },
])('$format', ({ format, infinity, known }) => {
  it('knows the values of its bits', () => {
    expect(decode(format, ...known.map(([half]) => half!))).toEqual(known.map(([, value]) => value))
    expect(decode(format, infinity, infinity | 0x8000)).toEqual([Infinity, -Infinity])
  })

  it('gives back the bits of every value that it holds', () => {
    const halves = Array.from({ length: 1 << 16 }, (_, i) => i).filter((half) => (half & 0x7fff) <= infinity)
    expect(encode(format, ...decode(format, ...halves))).toEqual(halves)
  })

  it('keeps what is not a number so', () => {
    const bits = Uint32Array.of(0x7f800001, 0xffc00000, 0x7fffffff)
    const halves = new Uint16Array(3)
    encodeHalfFloats(format, new Float32Array(bits.buffer), halves)
    expect(decode(format, ...halves)).toEqual([Number.NaN, Number.NaN, Number.NaN])
  })

  it('rounds to the nearest, ties to even', () => {
    const rng = new Random(5, 0)
    // Between two neighbours: the middle, and the float32 values beside it.
    for (let i = 0; i < 2000; i++) {
      const half = rng.integer(infinity - 1)
      const [low, high] = decode(format, half, half + 1) as [number, number]
      const middle = (low + high) / 2
      expect(encode(format, middle)).toEqual([half % 2 === 0 ? half : half + 1])
      const [below, above] = neighbours(middle)
      if (below > low) expect(encode(format, below)).toEqual([half])
      if (above < high) expect(encode(format, above)).toEqual([half + 1])
    }
  })

  it('becomes infinite where the next value would be', () => {
    const [largest, before] = decode(format, infinity - 1, infinity - 2) as [number, number]
    const limit = largest + (largest - before) / 2
    expect(encode(format, limit, neighbours(limit)[0], -limit)).toEqual([infinity, infinity - 1, infinity | 0x8000])
  })
})

/** The float32 values beside a positive one. */
function neighbours(value: number): [number, number] {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0]!
  return [...new Float32Array(Uint32Array.of(bits - 1, bits + 1).buffer)] as [number, number]
}
