/**
 * The density that TPE draws from and judges by: one kernel around each observation, and a broad one for what is not
 * known yet.
 * @module
 */

import { normalQuantile, type Random } from '../../core/index.js'
import { logSumExp, normalCdf } from '../maths/normal.js'
import type { Axis } from '../space/index.js'

/** Share of the range that a kernel is wide with one observation of one parameter. */
const WIDTH = 0.2
/** Observations that count in full; those before them fade. */
const FULL_WEIGHTS = 25

/**
 * A mixture of products of kernels over coordinates from 0 to 1: normal ones cut off at the bounds for numbers (and
 * summed up over each bin where values are apart), tables for choices.
 *
 * The width is the same for all observations of a parameter, and never below 1 / min(100, number of kernels + 1)
 * ("magic clip"), so that equal observations do not make the density a needle.
 *
 * @see Bergstra et al. 2011, "Algorithms for Hyper-Parameter Optimization", section 4
 * @see Watanabe 2023, https://arxiv.org/abs/2304.11127, whose names and defaults for the multivariate form are used
 */
export class ParzenMixture {
  readonly #axes: readonly Axis[]
  /** Coordinates of the kernels, one array per axis; the last kernel is the broad one. */
  readonly #centers: Float64Array[]
  readonly #width: number
  readonly #logWeights: Float64Array
  readonly #cumulated: Float64Array
  /** Log of the mass that each kernel has within the bounds, one array per axis. */
  readonly #logMass: Float64Array[]
  readonly #terms: Float64Array

  /**
   * @param points - Observations by age, the oldest first: coordinates in the order of the axes.
   */
  constructor(axes: readonly Axis[], points: readonly (readonly number[])[]) {
    this.#axes = axes
    this.#terms = new Float64Array(points.length + 1)
    const count = points.length
    const kernels = count + 1
    const width = WIDTH * Math.max(count, 1) ** (-1 / (axes.length + 4))
    this.#width = Math.min(1, Math.max(width, 1 / Math.min(100, 1 + kernels)))
    const weights = ageWeights(count)
    weights.push(1)
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    this.#logWeights = Float64Array.from(weights, (weight) => Math.log(weight / total))
    let sum = 0
    this.#cumulated = Float64Array.from(weights, (weight) => {
      sum += weight / total
      return sum
    })
    this.#centers = axes.map((_, i) => Float64Array.from({ length: kernels }, (_, k) => points[k]?.[i] ?? 0.5))
    this.#logMass = this.#centers.map((centers) =>
      centers.map((center, k) => Math.log(massBetween(0, 1, center, this.#widthOf(k)))),
    )
  }

  /** A point of the mixture. */
  draw(random: Random): number[] {
    const share = random.uniform()
    const last = this.#cumulated.length - 1
    let kernel = this.#cumulated.findIndex((sum) => share < sum)
    if (kernel < 0) kernel = last
    return this.#axes.map((axis, i) => {
      const center = this.#centers[i]![kernel]!
      const share = random.uniform()
      if (axis.unordered) {
        const [other, own] = this.#tableOf(axis, kernel)
        const mine = Math.floor(center * axis.count!)
        if (kernel === last || share >= own - other) {
          // All choices alike, with what the own one has beyond that taken off.
          const rest = kernel === last ? share : (share - (own - other)) / (1 - (own - other))
          return (Math.min(axis.count! - 1, Math.floor(rest * axis.count!)) + 0.5) / axis.count!
        }
        return (mine + 0.5) / axis.count!
      }
      const width = this.#widthOf(kernel)
      const from = normalCdf((0 - center) / width)
      const to = normalCdf((1 - center) / width)
      const unit = Math.min(1, Math.max(0, center + width * normalQuantile(from + share * (to - from))))
      const bin = axis.bin(unit)
      return bin ? (bin[0] + bin[1]) / 2 : unit
    })
  }

  /** Log of the density at a point; where values are apart, of their probability. */
  logDensity(point: readonly number[]): number {
    const terms = this.#terms
    terms.set(this.#logWeights)
    this.#axes.forEach((axis, i) => {
      const centers = this.#centers[i]!
      const logMass = this.#logMass[i]!
      const unit = point[i]!
      const bin = axis.bin(unit)
      for (let k = 0; k < terms.length; k++) {
        if (axis.unordered) {
          const [other, own] = this.#tableOf(axis, k)
          const same = Math.floor(centers[k]! * axis.count!) === Math.floor(unit * axis.count!)
          terms[k]! += Math.log(same ? own : other)
        } else {
          const width = this.#widthOf(k)
          const distance = (unit - centers[k]!) / width
          terms[k]! +=
            (bin
              ? Math.log(Math.max(massBetween(bin[0], bin[1], centers[k]!, width), Number.MIN_VALUE))
              : -0.5 * distance * distance - Math.log(width * Math.sqrt(2 * Math.PI))) - logMass[k]!
        }
      }
    })
    return logSumExp(terms)
  }

  /** The broad kernel is as wide as the range. */
  #widthOf(kernel: number): number {
    return kernel === this.#terms.length - 1 ? 1 : this.#width
  }

  /** Probabilities of one other choice and of the kernel's own. The broad kernel likes all alike. */
  #tableOf(axis: Axis, kernel: number): readonly [other: number, own: number] {
    const kernels = this.#terms.length
    if (kernel === kernels - 1) return [1 / axis.count!, 1 / axis.count!]
    const base = 1 / kernels
    const total = 1 + base * axis.count!
    return [base / total, (1 + base) / total]
  }
}

function massBetween(from: number, to: number, center: number, width: number): number {
  const [a, b] = [(from - center) / width, (to - center) / width]
  // On the side where the distribution function is small, so that the difference keeps its digits.
  return a > 0 ? normalCdf(-a) - normalCdf(-b) : normalCdf(b) - normalCdf(a)
}

/** 1 for the newest, rising from almost nothing for those before them. */
function ageWeights(count: number): number[] {
  const fading = Math.max(0, count - FULL_WEIGHTS)
  return Array.from({ length: count }, (_, i) =>
    i >= fading ? 1 : 1 / count + (i / Math.max(1, fading - 1)) * (1 - 1 / count),
  )
}
