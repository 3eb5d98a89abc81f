/**
 * CMA-ES: a normal distribution that moves to where samples were good and takes the shape of the slope there.
 *
 * @see Hansen 2016, "The CMA Evolution Strategy: A Tutorial", https://arxiv.org/abs/1604.00772: figure 6, with the
 *   default parameters of table 1 and no negative weights
 * @module
 */

import type { Random } from '../../core/index.js'
import { symmetricEigen } from '../../core/index.js'
import { type Matrix, zeros } from './matrix.js'

/** Points of one generation, by dimension: 4 + 3 ln n. */
export const populationFor = (dimensions: number): number => 4 + Math.floor(3 * Math.log(dimensions))

/** A search distribution and what it learned. Coordinates are on one scale, such as 0 to 1. */
export class CmaDistribution {
  readonly mean: Float64Array
  /** Step size: the standard deviation along the widest direction is about this. */
  sigma: number
  readonly #n: number
  readonly #weights: Float64Array
  readonly #covariance: Matrix
  readonly #pathC: Float64Array
  readonly #pathSigma: Float64Array
  #vectors: Matrix
  #deviations: Float64Array
  #generation = 0

  /** @param population - Points that `update` gets. */
  constructor(mean: ArrayLike<number>, sigma: number, population: number) {
    const n = mean.length
    this.#n = n
    this.mean = Float64Array.from(mean)
    this.sigma = sigma
    const raw = Float64Array.from(
      { length: Math.floor(population / 2) },
      (_, i) => Math.log((population + 1) / 2) - Math.log(i + 1),
    )
    const total = raw.reduce((sum, weight) => sum + weight, 0)
    this.#weights = raw.map((weight) => weight / total)
    this.#pathC = new Float64Array(n)
    this.#pathSigma = new Float64Array(n)
    this.#covariance = zeros(n, n)
    this.#vectors = zeros(n, n)
    for (let i = 0; i < n; i++) this.#covariance[i]![i] = this.#vectors[i]![i] = 1
    this.#deviations = new Float64Array(n).fill(1)
  }

  /** A point: mean + sigma B D z. */
  draw(random: Random): Float64Array {
    const scaled = this.#deviations.map((deviation) => deviation * random.normal())
    return this.mean.map((mean, i) => mean + this.sigma * dot(this.#vectors[i]!, scaled))
  }

  /** Learns from the points of a generation, the best first. */
  update(points: readonly ArrayLike<number>[]): void {
    const n = this.#n
    const weights = this.#weights
    const massInverse = weights.reduce((sum, weight) => sum + weight * weight, 0)
    const mass = 1 / massInverse
    const cSigma = (mass + 2) / (n + mass + 5)
    const damping = 1 + 2 * Math.max(0, Math.sqrt((mass - 1) / (n + 1)) - 1) + cSigma
    const cC = (4 + mass / n) / (n + 4 + (2 * mass) / n)
    const c1 = 2 / ((n + 1.3) ** 2 + mass)
    const cMu = Math.min(1 - c1, (2 * (mass - 2 + 1 / mass)) / ((n + 2) ** 2 + mass))
    const expectedNorm = Math.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n))

    const steps = points
      .slice(0, weights.length)
      .map((point) => this.mean.map((mean, i) => (point[i]! - mean) / this.sigma))
    const step = this.mean.map((_, i) => weights.reduce((sum, weight, k) => sum + weight * steps[k]![i]!, 0))
    for (let i = 0; i < n; i++) this.mean[i]! += this.sigma * step[i]!

    // C^-1/2 step = B D^-1 Bᵀ step
    const rotated = this.#deviations.map((deviation, j) => {
      let sum = 0
      for (let i = 0; i < n; i++) sum += this.#vectors[i]![j]! * step[i]!
      return sum / deviation
    })
    const pull = Math.sqrt(cSigma * (2 - cSigma) * mass)
    for (let i = 0; i < n; i++)
      this.#pathSigma[i] = (1 - cSigma) * this.#pathSigma[i]! + pull * dot(this.#vectors[i]!, rotated)
    const norm = Math.sqrt(dot(this.#pathSigma, this.#pathSigma))
    this.sigma *= Math.exp((cSigma / damping) * (norm / expectedNorm - 1))

    this.#generation++
    const settled = norm / Math.sqrt(1 - (1 - cSigma) ** (2 * this.#generation)) < (1.4 + 2 / (n + 1)) * expectedNorm
    const pullC = settled ? Math.sqrt(cC * (2 - cC) * mass) : 0
    for (let i = 0; i < n; i++) this.#pathC[i] = (1 - cC) * this.#pathC[i]! + pullC * step[i]!
    const missing = settled ? 0 : c1 * cC * (2 - cC)
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) {
        const rankMu = weights.reduce((sum, weight, k) => sum + weight * steps[k]![i]! * steps[k]![j]!, 0)
        const value =
          (1 - c1 - cMu + missing) * this.#covariance[i]![j]! + c1 * this.#pathC[i]! * this.#pathC[j]! + cMu * rankMu
        this.#covariance[i]![j] = this.#covariance[j]![i] = value
      }
    }
    const { values, vectors } = symmetricEigen(this.#covariance)
    // Column j of the matrix is vector j.
    this.#vectors = this.#vectors.map((_, i) => Float64Array.from(vectors, (vector) => vector[i]!))
    this.#deviations = values.map((value) => Math.sqrt(Math.max(value, 1e-20)))
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}
