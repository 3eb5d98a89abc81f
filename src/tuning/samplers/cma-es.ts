/** CMA-ES as a sampler. @module */

import { ConfigError, checkBetween, checkWhole, withDefaults } from '../../core/index.js'
import { CmaDistribution, populationFor } from '../maths/cma.js'
import type { Axis, Space } from '../space/index.js'
import { completed, lossOf } from '../study/index.js'
import { randomOf, type Sampler, type SamplerContext, type SeedOptions } from './sampler.js'

/** Options of `cmaEs`. */
export interface CmaEsOptions extends SeedOptions {
  /** Trials of a generation. @default 4 + 3 ln(number of parameters) */
  population?: number
  /** Standard deviation of the first generation, as a share of each range. @default 1/6 */
  sigma?: number
}

const MOST_REDRAWS = 100

/**
 * Evolves a normal distribution from generation to generation: for numbers, of which there are several and trials are
 * many. Whole numbers and steps are rounded; choices and conditional parameters are drawn at random.
 *
 * A point outside the bounds is drawn again, and after a hundred times moved to the bound.
 *
 * @see Hansen 2016, https://arxiv.org/abs/1604.00772
 */
export function cmaEs(options: CmaEsOptions = {}): Sampler {
  const { seed, population, sigma } = withDefaults('cmaEs', options, { population: undefined, sigma: 1 / 6, seed: 0 })
  randomOf(seed, 0)
  if (population !== undefined) checkWhole('The population of cmaEs', population, 4)
  checkBetween('sigma of cmaEs', sigma, 0, 1)
  return {
    name: 'cmaEs',
    limit(space) {
      if (numbersIn(space).length === 0)
        throw new ConfigError('cmaEs needs numbers, and the search space has none without a condition.', {
          remedy: 'Use tpe() or random()',
        })
      return undefined
    },
    suggest(context) {
      const { number, space } = context
      const random = randomOf(seed, number)
      const axes = numbersIn(space)
      const { distribution, generation } = evolve(context, axes, population ?? populationFor(axes.length), sigma)
      const params = space.draw(() => {
        let point = distribution.draw(random)
        for (let i = 0; i < MOST_REDRAWS && !point.every(isInside); i++) point = distribution.draw(random)
        return space.decode((axis) => {
          const index = axes.indexOf(axis)
          return index < 0 ? random.uniform() : Math.min(1, Math.max(0, point[index]!))
        })
      })
      return { params, notes: { generation } }
    },
  }
}

const isInside = (unit: number) => unit >= 0 && unit <= 1

const numbersIn = (space: Space): readonly Axis[] =>
  space.axes.filter(({ name, unordered }) => space.definition[name]!.kind === 'number' && !unordered)

/** Goes through the generations that are whole. */
function evolve({ trials, directions }: SamplerContext, axes: readonly Axis[], population: number, sigma: number) {
  const distribution = new CmaDistribution(new Float64Array(axes.length).fill(0.5), sigma, population)
  const done = completed(trials)
  for (let generation = 0; ; generation++) {
    const own = done.filter(({ notes }) => notes?.generation === generation).slice(0, population)
    if (own.length < population) return { distribution, generation }
    const loss = (values: readonly number[]) => lossOf(values[0]!, directions[0]!)
    own.sort((a, b) => loss(a.values) - loss(b.values))
    distribution.update(own.map(({ params }) => axes.map((axis) => axis.toUnit(params[axis.name]!))))
  }
}
