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

import { Random } from '../core/index.js'
import { Distribution } from './distribution.js'

/** Each level has this share of the places of the one above it, and at least so many. */
const SHRINKING = 2 / 3
const LEAST_PLACES = 8
/** Values that the coin is made of. */
const SEEDS = 16

/** A sketch of the distribution of values. */
export class QuantileSketch {
  readonly #capacity: number
  /** By level, lowest first. */
  readonly #levels: number[][] = [[]]
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
    this.#levels[0]!.push(value)
    this.#count++
    if (value < this.#least) this.#least = value
    if (value > this.#greatest) this.#greatest = value
    if (++this.#held > this.#limit) this.#thinOut()
  }

  /** Takes in all that another sketch of the same capacity has seen; that one stays as it is. */
  merge(other: QuantileSketch): void {
    other.#levels.forEach((values, level) => {
      const own = this.#level(level)
      for (const value of values) own.push(value)
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
    if (this.#levels.length === 1) return new Distribution(Float64Array.from(this.#levels[0]!).sort())
    const kept = this.#levels.flatMap((values, level) => values.map((value) => ({ value, weight: 2 ** level })))
    kept.sort((a, b) => a.value - b.value)
    // The extremes may have fallen out: each takes the place of one of those that its neighbour stands for.
    kept[0]!.weight--
    kept[kept.length - 1]!.weight--
    const known = [{ value: this.#least, weight: 1 }, ...kept, { value: this.#greatest, weight: 1 }]
    const counted = known.filter(({ weight }) => weight > 0)
    return new Distribution(
      Float64Array.from(counted, ({ value }) => value),
      Float64Array.from(counted, ({ weight }) => weight),
    )
  }

  #level(level: number): number[] {
    while (this.#levels.length <= level) {
      this.#levels.push([])
      this.#limit = this.#levels.reduce((sum, _, i) => sum + this.#placesOf(i), 0)
    }
    return this.#levels[level]!
  }

  /** With two levels or more, a third of the capacity at the top and less below is at most the capacity in all. */
  #placesOf(level: number): number {
    const below = this.#levels.length - 1 - level
    return Math.max(LEAST_PLACES, Math.floor((this.#capacity / 3) * SHRINKING ** below))
  }

  #thinOut(): void {
    while (this.#held > this.#limit) {
      const level = this.#levels.findIndex((values, i) => values.length >= this.#placesOf(i))
      const sorted = Float64Array.from(this.#levels[level]!).sort()
      this.#coin ??= new Random(seedOf(sorted))
      const first = this.#coin.integer(2)
      const pairs = sorted.length >> 1
      const above = this.#level(level + 1)
      for (let i = 0; i < pairs; i++) above.push(sorted[2 * i + first]!)
      // An odd one stays.
      this.#levels[level] = sorted.length % 2 === 1 ? [sorted[sorted.length - 1]!] : []
      this.#held -= pairs
      this.#squares += 4 ** level
    }
  }
}

/** A seed out of the values themselves: the coins of two shards fall apart, and those of the same rows alike. */
function seedOf(sorted: Float64Array): number {
  const some = Float64Array.from(
    { length: SEEDS },
    (_, i) => sorted[Math.floor((i * (sorted.length - 1)) / (SEEDS - 1))]!,
  )
  return new Uint32Array(some.buffer).reduce((seed, word) => (Math.imul(seed, 0x01000193) ^ word) >>> 0, 0x811c9dc5)
}
