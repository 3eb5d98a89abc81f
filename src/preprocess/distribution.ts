/** A distribution as sorted values, each of which may stand for several. @module */

/** Sorted values and how many each stands for. */
export class Distribution {
  /** Sorted, without NaN. */
  readonly values: Float64Array
  /** How many values each stands for, at least 0; undefined: itself alone. */
  readonly weights: Float64Array | undefined
  /** Number of values in all. */
  readonly count: number
  /** For each value the number of those up to it. */
  readonly #ends: Float64Array | undefined

  constructor(values: Float64Array, weights?: Float64Array) {
    this.values = values
    this.weights = weights
    let sum = 0
    this.#ends = weights?.map((weight) => {
      sum += weight
      return sum
    })
    this.count = weights ? sum : values.length
  }

  /** Quantile `q`, 0 to 1, interpolated linearly between ranks as NumPy does by default. */
  quantile(q: number): number {
    return this.#between(q * (this.count - 1))
  }

  /** `count` quantiles, evenly spread from the least to the greatest. */
  quantiles(count: number): number[] {
    // Multiplied before it is divided: where there is a quantile for each value, it is that value.
    return Array.from({ length: count }, (_, i) => this.#between((i * (this.count - 1)) / (count - 1)))
  }

  /** Value at a rank, interpolated between whole ones. */
  #between(rank: number): number {
    const below = Math.floor(rank)
    const low = this.#at(below)
    // Nothing of the value above, which may be infinite.
    if (rank === below) return low
    const high = this.#at(Math.min(below + 1, this.count - 1))
    return low + (high - low) * (rank - below)
  }

  /** Value at a whole rank, from 0. */
  #at(rank: number): number {
    if (!this.#ends) return this.values[rank]!
    let low = 0
    let high = this.#ends.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#ends[middle]! <= rank) low = middle + 1
      else high = middle
    }
    return this.values[low]!
  }
}
