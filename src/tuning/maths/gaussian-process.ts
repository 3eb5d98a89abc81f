/**
 * Gaussian process regression with a Matérn 5/2 kernel and one length scale per dimension.
 *
 * @see Rasmussen and Williams 2006, "Gaussian Processes for Machine Learning", algorithm 2.1,
 *   http://gaussianprocess.org/gpml/
 * @module
 */

import type { Random } from '../../core/index.js'
import { CmaDistribution, populationFor } from './cma.js'
import { cholesky, type Matrix, solveLower, solveUpper, zeros } from './matrix.js'

/** Generations of the search for the kernel's parameters; more changed no result of the tests by a tenth. */
const GENERATIONS = 12

/** What the posterior says of a point. */
export interface Prediction {
  mean: number
  deviation: number
}

/** A process conditioned on points and their values. */
export class GaussianProcess {
  readonly #points: readonly (readonly number[])[]
  readonly #inverseScales: Float64Array
  readonly #variance: number
  readonly #lower: Matrix
  readonly #alpha: Float64Array

  private constructor(points: readonly (readonly number[])[], values: Float64Array, logs: ArrayLike<number>) {
    const { inverseScales, variance, lower, alpha } = condition(points, values, logs)!
    this.#points = points
    this.#inverseScales = inverseScales
    this.#variance = variance
    this.#lower = lower
    this.#alpha = alpha
  }

  /**
   * Finds the kernel's parameters that explain the values best, given what is usual, by CMA-ES.
   *
   * @param points - Coordinates from 0 to 1, `[n][d]`.
   * @param values - With mean 0 and variance 1, `[n]`.
   */
  static fit(points: readonly (readonly number[])[], values: Float64Array, random: Random): GaussianProcess {
    const dimensions = points[0]!.length
    const population = populationFor(dimensions + 2)
    let best: Float64Array = usual(dimensions)
    let least = cost(points, values, best)
    const search = new CmaDistribution(best, 1, population)
    for (let generation = 0; generation < GENERATIONS; generation++) {
      const tried = Array.from({ length: population }, () => search.draw(random))
        .map((logs) => ({ logs, cost: cost(points, values, logs) }))
        .sort((a, b) => a.cost - b.cost)
      search.update(tried.map(({ logs }) => logs))
      if (tried[0]!.cost < least) ({ logs: best, cost: least } = tried[0]!)
    }
    return new GaussianProcess(points, values, best)
  }

  predict(point: readonly number[]): Prediction {
    const covariances = this.#points.map((other) => this.#variance * matern(point, other, this.#inverseScales))
    let mean = 0
    for (let i = 0; i < covariances.length; i++) mean += covariances[i]! * this.#alpha[i]!
    const explained = solveLower(this.#lower, covariances).reduce((sum, value) => sum + value * value, 0)
    return { mean, deviation: Math.sqrt(Math.max(this.#variance - explained, 1e-12)) }
  }
}

/** Logarithms of the length scales, the variance, and the noise's variance: what is expected before the data speak. */
const usual = (dimensions: number) =>
  Float64Array.from({ length: dimensions + 2 }, (_, i) => Math.log(i < dimensions ? 0.5 : i === dimensions ? 1 : 1e-4))

/** How far, as standard deviations of the logarithm, each may be from that. */
const spread = (dimensions: number, index: number) => (index < dimensions ? 1 : index === dimensions ? 1 : 2)

/** Negative log of the posterior density of the kernel's parameters, but for a constant. */
function cost(points: readonly (readonly number[])[], values: Float64Array, logs: Float64Array): number {
  const conditioned = condition(points, values, logs)
  if (!conditioned) return Number.POSITIVE_INFINITY
  const { lower, alpha } = conditioned
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += 0.5 * values[i]! * alpha[i]! + Math.log(lower[i]![i]!)
  const dimensions = points[0]!.length
  const expected = usual(dimensions)
  for (let i = 0; i < logs.length; i++) sum += 0.5 * ((logs[i]! - expected[i]!) / spread(dimensions, i)) ** 2
  return sum
}

function condition(points: readonly (readonly number[])[], values: Float64Array, logs: ArrayLike<number>) {
  const dimensions = points[0]!.length
  const inverseScales = Float64Array.from({ length: dimensions }, (_, i) => Math.exp(-logs[i]!))
  const variance = Math.exp(logs[dimensions]!)
  const noise = Math.exp(logs[dimensions + 1]!) + 1e-8 * variance
  const covariance = zeros(points.length, points.length)
  for (let i = 0; i < points.length; i++) {
    for (let j = 0; j < i; j++) covariance[i]![j] = variance * matern(points[i]!, points[j]!, inverseScales)
    covariance[i]![i] = variance + noise
  }
  const lower = cholesky(covariance)
  return lower && { inverseScales, variance, lower, alpha: solveUpper(lower, solveLower(lower, values)) }
}

function matern(a: readonly number[], b: readonly number[], inverseScales: Float64Array): number {
  let squares = 0
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i]! - b[i]!) * inverseScales[i]!
    squares += difference * difference
  }
  const distance = Math.sqrt(5 * squares)
  return (1 + distance + (5 / 3) * squares) * Math.exp(-distance)
}
