/**
 * Quantiles of any number of values in little memory, mergeable: a KLL sketch.
 *
 * Values lie in levels; one at level h stands for 2^h of those that came in. When all places are taken, a level is
 * sorted and every second value of it moves up, from the first or the second on, as a coin falls. For any value, this
 * changes how many seem to lie below it by -2^h, 0 or 2^h, by 0 in the mean, so the sum of the squares of all such
 * steps bounds the error (Hoeffding's inequality).
 *
 * @see Karnin, Lang, Liberty 2016, "Optimal quantile approximation in streams", https://arxiv.org/abs/1603.05346
 * @module
 */

import { ascending, Random, sortedNumbers } from '../core/index.js'
import { Distribution } from './distribution.js'

/** Each level has this share of the places of the one above it, and at least so many. */
const SHRINKING = 2 / 3
const LEAST_PLACES = 8
/** Places for values of level 0 to begin with. */
const FIRST_PLACES = 64
/** Values that the coin is made of. */
const SEEDS = 16

/** A sketch of the distribution of values. */
export class QuantileSketch {
  readonly #capacity: number
  /** Level 0, in the order in which values came. */
  #loose = new Float64Array(FIRST_PLACES)
  #looseCount = 0
  /** The levels above, lowest first, each sorted. */
  readonly #levels: Float64Array[] = []
  #held = 0
  /** Values that may be held before a level is thinned out. */
  #limit: number
  #count = 0
  #least = Number.POSITIVE_INFINITY
  #greatest = Number.NEGATIVE_INFINITY
  /** Sum of the squares of what the steps may have changed. */
  #squares = 0
  #coin: Random | undefined

  /** @param capacity - Values to keep, at least 100: up to so many the sketch is exact, and hardly more are kept later. */
  constructor(capacity: number) {
    this.#capacity = capacity
    this.#limit = capacity
  }

  /** Values that came in. */
  get count(): number {
    return this.#count
  }

  /** Values that are kept. */
  get size(): number {
    return this.#held
  }

  /** @param value - Not NaN. */
  add(value: number): void {
    if (this.#looseCount === this.#loose.length) this.#makeRoom(1)
    this.#loose[this.#looseCount++] = value
    this.#count++
    if (value < this.#least) this.#least = value
    if (value > this.#greatest) this.#greatest = value
    if (++this.#held > this.#limit) this.#thinOut()
  }

  /** Takes in all that another sketch of the same capacity has seen; that one stays as it is. */
  merge(other: QuantileSketch): void {
    this.#makeRoom(other.#looseCount)
    this.#loose.set(other.#looseValues, this.#looseCount)
    this.#looseCount += other.#looseCount
    other.#levels.forEach((values, i) => {
      this.#raise(values, i + 1)
    })
    this.#held += other.#held
    this.#count += other.#count
    this.#squares += other.#squares
    this.#least = Math.min(this.#least, other.#least)
    this.#greatest = Math.max(this.#greatest, other.#greatest)
    if (this.#held > this.#limit) this.#thinOut()
  }

  /**
   * Largest difference between the share of values below a quantile and what it should be, 0 to 1: with the default
   * `failure` at most 12 over the capacity, however many values came in.
   *
   * @param failure - Probability that a quantile is further off. @default 0.001
   */
  rankError(failure = 0.001): number {
    return this.#count === 0 ? 0 : Math.sqrt(2 * Math.log(2 / failure) * this.#squares) / this.#count
  }

  /** What is known of the distribution. The least and the greatest value are exact. */
  distribution(): Distribution {
    if (this.#levels.length === 0) return new Distribution(sortedNumbers(this.#looseValues))
    const kept = new Float64Array(this.#held)
    const weightOf = new Float64Array(this.#held)
    let offset = 0
    for (const [level, held] of [this.#looseValues, ...this.#levels].entries()) {
      kept.set(held, offset)
      weightOf.fill(2 ** level, offset, offset + held.length)
      offset += held.length
    }
    const { order, sorted } = ascending(kept)
    const values = new Float64Array(sorted.length + 2)
    values[0] = this.#least
    values.set(sorted, 1)
    values[sorted.length + 1] = this.#greatest
    // The extremes may have fallen out: each takes the place of one of those that its neighbour stands for.
    const weights = new Float64Array(values.length).fill(1)
    for (let i = 0; i < order.length; i++) weights[i + 1] = weightOf[order[i]!]!
    weights[1]!--
    weights[order.length]!--
    return new Distribution(values, weights)
  }

  /** The values of level 0. */
  get #looseValues(): Float64Array {
    return this.#loose.subarray(0, this.#looseCount)
  }

  #makeRoom(count: number): void {
    if (this.#looseCount + count <= this.#loose.length) return
    const larger = new Float64Array(Math.max(2 * this.#loose.length, this.#looseCount + count))
    larger.set(this.#looseValues)
    this.#loose = larger
  }

  /** Puts sorted values into a level above 0. */
  #raise(values: Float64Array, level: number): void {
    while (this.#levels.length < level) {
      this.#levels.push(new Float64Array(0))
      this.#limit = this.#levels.reduce((sum, _, i) => sum + this.#placesOf(i + 1), this.#placesOf(0))
    }
    this.#levels[level - 1] = mergeSorted(this.#levels[level - 1]!, values)
  }

  /** Once there are levels above 0, a third of the capacity at the top and less below is at most the capacity in all. */
  #placesOf(level: number): number {
    return Math.max(LEAST_PLACES, Math.floor((this.#capacity / 3) * SHRINKING ** (this.#levels.length - level)))
  }

  #thinOut(): void {
    while (this.#held > this.#limit) {
      const level = [this.#looseValues, ...this.#levels].findIndex((held, i) => held.length >= this.#placesOf(i))
      const sorted = level === 0 ? sortedNumbers(this.#looseValues) : this.#levels[level - 1]!
      this.#coin ??= new Random(seedOf(sorted))
      const first = this.#coin.integer(2)
      const pairs = sorted.length >> 1
      const half = new Float64Array(pairs)
      for (let i = 0; i < pairs; i++) half[i] = sorted[2 * i + first]!
      // An odd one stays.
      if (level > 0) this.#levels[level - 1] = sorted.slice(2 * pairs)
      else {
        this.#looseCount = sorted.length % 2
        if (this.#looseCount === 1) this.#loose[0] = sorted[2 * pairs]!
      }
      this.#raise(half, level + 1)
      this.#held -= pairs
      this.#squares += 4 ** level
    }
  }
}

function mergeSorted(a: Float64Array, b: Float64Array): Float64Array {
  if (a.length === 0) return b
  const merged = new Float64Array(a.length + b.length)
  for (let i = 0, j = 0, place = 0; place < merged.length; place++)
    merged[place] = j >= b.length || a[i]! <= b[j]! ? a[i++]! : b[j++]!
  return merged
}

/** A seed out of the values themselves: the coins of two shards fall apart, and those of the same rows alike. */
function seedOf(sorted: Float64Array): number {
  const some = Float64Array.from(
    { length: SEEDS },
    (_, i) => sorted[Math.floor((i * (sorted.length - 1)) / (SEEDS - 1))]!,
  )
  return new Uint32Array(some.buffer).reduce((seed, word) => (Math.imul(seed, 0x01000193) ^ word) >>> 0, 0x811c9dc5)
}
