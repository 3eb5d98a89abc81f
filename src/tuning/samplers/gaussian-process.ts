/** Bayesian optimization with a Gaussian process. @module */

import { checkWhole, normalQuantile, type Random, withDefaults } from '../../core/index.js'
import { GaussianProcess, type Prediction } from '../maths/gaussian-process.js'
import { normalCdf, normalDensity } from '../maths/normal.js'
import type { Params, Space } from '../space/index.js'
import { quasiRandom } from './quasi-random.js'
import { observationsOf, randomOf, type Sampler, type SeedOptions } from './sampler.js'

/** Options of `gaussianProcess`. */
export interface GaussianProcessOptions extends SeedOptions {
  /** Evenly spread trials before the first model. @default 10 */
  startupTrials?: number
}

/** Points that are looked at for each trial: anywhere, then twice around the best of them. */
const LOOKS = [
  { points: 1000, width: Number.POSITIVE_INFINITY },
  { points: 200, width: 0.1 },
  { points: 200, width: 0.02 },
]

/**
 * Models the score by a Gaussian process and tries the point where an improvement is expected most. It learns more
 * from each trial than other samplers, and thinks longer: for small budgets, up to a few hundred trials.
 *
 * Choices are compared by equality. Values are replaced by their ranks on a normal scale, so that single bad
 * trials do not hide the differences of good ones. Running trials count as average.
 *
 * @see Jones, Schonlau and Welch 1998, https://doi.org/10.1023/A:1008306431147
 * @see Salinas et al. 2020, https://arxiv.org/abs/1909.13595, for the scale of the values
 */
export function gaussianProcess(options: GaussianProcessOptions = {}): Sampler {
  const { seed, startupTrials } = withDefaults('gaussianProcess', options, { startupTrials: 10, seed: 0 })
  checkWhole('startupTrials of gaussianProcess', startupTrials, 2)
  const first = quasiRandom({ seed })
  return {
    name: 'gaussianProcess',
    suggest(context) {
      const { number, space, trials } = context
      const observations = observationsOf(context)
      if (observations.length < startupTrials) return first.suggest(context)
      const random = randomOf(seed, number)
      const running = trials.filter(({ state, params }) => state === 'running' && params)
      const points = [...observations, ...running].map(({ params }) => inOneHot(space, params!))
      const scores = [...normalScores(observations.map(({ loss }) => loss)), ...running.map(() => 0)]
      const process = GaussianProcess.fit(points, Float64Array.from(scores), random)
      const best = Math.min(...scores)
      const gainAt = (params: Params) => logExpectedImprovement(process.predict(inOneHot(space, params)), best)
      return {
        params: maximize(
          gainAt,
          space,
          observations.map(({ params }) => params),
          random,
        ),
      }
    },
  }
}

/** Looks at points of the space, and closer around the best of them and around those that were tried. */
function maximize(gainAt: (params: Params) => number, space: Space, tried: readonly Params[], random: Random): Params {
  let most = Number.NEGATIVE_INFINITY
  let best: Params | undefined
  const consider = (params: Params) => {
    const gain = gainAt(params)
    if (best && gain <= most) return
    most = gain
    best = params
  }
  const near = (params: Params, width: number) => {
    const units = space.encode(params)
    return space.draw(() =>
      space.decode((axis, i) => {
        if (axis.unordered) return random.uniform() < 0.1 ? random.uniform() : units[i]!
        return Math.min(1, Math.max(0, units[i]! + width * random.normal()))
      }),
    )
  }
  for (const { points, width } of LOOKS) {
    const center = best
    for (let i = 0; i < points; i++)
      consider(center ? near(center, width) : space.draw(() => space.decode(() => random.uniform())))
    if (!center) for (const params of tried.slice(-50)) consider(near(params, 0.05))
  }
  return best!
}

/** Coordinates in which two choices are as far apart as two ends of a range, whichever they are. */
function inOneHot(space: Space, params: Params): number[] {
  const units = space.encode(params)
  return space.axes.flatMap((axis, i) => {
    if (!axis.unordered) return [units[i]!]
    const chosen = axis.name in params ? Math.floor(units[i]! * axis.count!) : -1
    return Array.from({ length: axis.count! }, (_, k) => (k === chosen ? Math.SQRT1_2 : 0))
  })
}

/** The values' ranks on the scale of a standard normal; equal values share one. */
function normalScores(values: readonly number[]): number[] {
  const sorted = [...values].sort((a, b) => a - b)
  return values.map((value) => {
    const middle = (sorted.indexOf(value) + sorted.lastIndexOf(value) + 1) / 2
    return normalQuantile(middle / values.length)
  })
}

/** Log of the expected amount by which a normal value is below `best`. */
function logExpectedImprovement({ mean, deviation }: Prediction, best: number): number {
  const z = (best - mean) / deviation
  // Far below, the sum cancels; its asymptote does not.
  const scaled = z > -6 ? Math.log(z * normalCdf(z) + normalDensity(z)) : -0.5 * z * z - 0.919 - 2 * Math.log(-z)
  return scaled + Math.log(deviation)
}
