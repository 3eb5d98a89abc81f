/** Quantiles of a sketch are exact while they can be, and within its stated error afterwards, however it came about. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Random } from '../../../src/core/index.js'
import { QuantileSketch } from '../../../src/preprocess/quantile-sketch.js'

const CAPACITY = 1000

/** Values in 1 to 8 shards, each with a sketch of its own, merged. */
function merged(values: ArrayLike<number>, shards: number, shardOf: (index: number) => number): QuantileSketch {
  const sketches = Array.from({ length: shards }, () => new QuantileSketch(CAPACITY))
  for (let i = 0; i < values.length; i++) sketches[shardOf(i)]!.add(values[i]!)
  return sketches.reduce((first, second) => {
    first.merge(second)
    return first
  })
}

/** By how much the share of sorted values below or at a value misses `q`: 0 where `q` lies between the two. */
function miss(sorted: Float64Array, value: number, q: number): number {
  const below = sorted.findIndex((other) => other >= value)
  const beyond = sorted.findIndex((other) => other > value)
  const low = (below < 0 ? sorted.length : below) / sorted.length
  const high = (beyond < 0 ? sorted.length : beyond) / sorted.length
  return Math.max(0, low - q, q - high)
}

it('is exact up to its capacity, in any number of shards and any order', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ noNaN: true }), { minLength: 1, maxLength: 200 }),
      fc.integer({ min: 1, max: 8 }),
      fc.infiniteStream(fc.nat(7)),
      (values, shards, dealt) => {
        const sketch = merged(values, shards, () => dealt.next().value! % shards)
        const known = sketch.distribution()
        expect(known.values).toEqual(Float64Array.from(values).sort())
        expect([known.weights, known.count, sketch.rankError()]).toEqual([undefined, values.length, 0])
      },
    ),
    { seed: 1, numRuns: 200 },
  )
})

it('has finite quantiles below infinite values', () => {
  const sketch = new QuantileSketch(CAPACITY)
  for (const value of [Infinity, 1, 3, 2, -Infinity]) sketch.add(value)
  const known = sketch.distribution()
  expect([0, 0.25, 0.5, 0.75, 1].map((q) => known.quantile(q))).toEqual([-Infinity, 1, 2, 3, Infinity])
})

/** Value `i` of `n`, in orders and shapes that are hard in different ways. */
const shapes: Record<string, (random: Random, i: number, n: number) => number> = {
  rising: (_, i) => i,
  falling: (_, i, n) => n - i,
  normal: (random) => random.normal(),
  'far from zero': (random) => 1e9 + random.uniform(),
  'of few values': (random) => random.integer(3),
  'in two heaps': (random) => (random.uniform() < 0.3 ? -1e6 : 1e-6) * (1 + random.uniform()),
  'with long tails': (random) => Math.tan(Math.PI * (random.uniform() - 0.5)),
  'up and down': (_, i) => i % 997,
}

describe.each(Object.entries(shapes))('values %s', (_, make) => {
  it('keep their quantiles within the stated error, merged from 1 to 8 shards', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: CAPACITY, max: 20_000 }),
        fc.boolean(),
        (seed, shards, n, inRuns) => {
          const random = new Random(seed)
          const values = Float64Array.from({ length: n }, (_, i) => make(random, i, n))
          const sketch = merged(values, shards, (i) => (inRuns ? Math.floor((i * shards) / n) : random.integer(shards)))
          const known = sketch.distribution()
          expect([known.count, known.weights?.reduce((a, b) => a + b) ?? n]).toEqual([n, n])
          const sorted = values.slice().sort()
          expect([known.quantile(0), known.quantile(1)]).toEqual([sorted[0], sorted[n - 1]])
          // So unlikely to be missed that a miss is a mistake; a rank more for what lies between two ranks.
          const bound = sketch.rankError(1e-9) + 1 / n
          for (const q of [0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999])
            expect(miss(sorted, known.quantile(q), q)).toBeLessThanOrEqual(bound)
        },
      ),
      { seed: 2, numRuns: 12 },
    )
  })
})

it('states an error of at most 12 ranks in its capacity, and keeps hardly more than that, for many values too', () => {
  const random = new Random(3)
  const sketch = new QuantileSketch(CAPACITY)
  for (let i = 0; i < 300_000; i++) {
    sketch.add(random.uniform())
    if (i % 10_000 === 0) {
      expect(sketch.rankError(0.001)).toBeLessThanOrEqual(12 / CAPACITY)
      expect(sketch.size).toBeLessThanOrEqual(1.05 * CAPACITY)
    }
  }
})

it('misses no more often than stated', () => {
  let misses = 0
  const values = Float64Array.from({ length: 5000 }, (_, i) => i)
  for (let seed = 0; seed < 200; seed++) {
    const sketch = new QuantileSketch(100)
    for (const value of new Random(seed).shuffle(values.slice())) sketch.add(value)
    if (Math.abs(sketch.distribution().quantile(0.5) / 4999 - 0.5) > sketch.rankError(0.1)) misses++
  }
  expect(misses).toBeLessThanOrEqual(20)
})

it('is the same for the same values in the same order, and leaves what it takes in as it was', () => {
  const sketchOf = (from: number) => {
    const sketch = new QuantileSketch(CAPACITY)
    for (let i = 0; i < 5000; i++) sketch.add((i * 7919 + from) % 10_007)
    return sketch
  }
  const [one, again, other] = [sketchOf(0), sketchOf(0), sketchOf(1)]
  expect(one.distribution()).toEqual(again.distribution())
  const before = other.distribution()
  one.merge(other)
  expect(other.distribution()).toEqual(before)
  expect(one.distribution().count).toBe(10_000)
})
