/** NSGA-II: evolution towards the Pareto front. @module */

import type { Random } from '../../core/index.js'
import { checkBetween, checkWhole, withDefaults } from '../../core/index.js'
import type { Axis, Space } from '../space/index.js'
import { completed, lossOf } from '../study/index.js'
import { crowdingDistances, nondominatedFronts } from './pareto.js'
import { randomOf, randomParams, type Sampler, type SamplerContext, type SeedOptions } from './sampler.js'

/** Options of `nsga2`. */
export interface Nsga2Options extends SeedOptions {
  /** Trials of a generation. @default 50 */
  population?: number
  /** Probability that a child mixes two parents rather than copies one. @default 0.9 */
  crossover?: number
}

/** How near children stay to their parents: the distribution index of both operators. */
const NEARNESS = 20

/** A member of a population: coordinates, losses, and its rank within. */
interface Member {
  point: readonly number[]
  losses: readonly number[]
  front: number
  crowding: number
}

/**
 * Keeps the members of all generations that none of the others beats in every value, mixes and changes them. For
 * studies with several directions; the result has a `paretoFront`.
 *
 * Numbers are mixed by simulated binary crossover and changed by polynomial mutation; choices are swapped, and drawn
 * anew. Each coordinate changes with probability 1 / number of parameters.
 *
 * @see Deb et al. 2002, https://doi.org/10.1109/4235.996017
 * @see Deb and Agrawal 1995, "Simulated binary crossover for continuous search space"
 */
export function nsga2(options: Nsga2Options = {}): Sampler {
  const { seed, population, crossover } = withDefaults('nsga2', options, { population: 50, crossover: 0.9, seed: 0 })
  randomOf(seed, 0)
  checkWhole('The population of nsga2', population, 4)
  checkBetween('crossover of nsga2', crossover, 0, 1)
  return {
    name: 'nsga2',
    multiObjective: true,
    suggest(context) {
      const { number, space } = context
      const random = randomOf(seed, number)
      const { parents, generation } = evolve(context, population)
      const notes = { generation }
      if (!parents) return { params: randomParams(space, random), notes }
      const params = space.draw(() => {
        const child = mix(tournament(parents, random), tournament(parents, random), space, crossover, random)
        mutate(child, space, random)
        return space.decode((_, i) => child[i]!)
      })
      return { params, notes }
    },
  }
}

/** The survivors of the generations that are whole, and the number of the one that is not. */
function evolve({ trials, directions, space }: SamplerContext, population: number) {
  const done = completed(trials)
  let parents: Member[] | undefined
  for (let generation = 0; ; generation++) {
    const own = done.filter(({ notes }) => notes?.generation === generation)
    if (own.length < population) return { parents, generation }
    const members = own.map(({ params, values }) => ({
      point: space.encode(params),
      losses: values.map((value, i) => lossOf(value, directions[i]!)),
    }))
    parents = survivors([...(parents ?? []), ...members], population)
  }
}

/** The best by front, then by distance to the neighbours. */
function survivors(all: Pick<Member, 'point' | 'losses'>[], count: number): Member[] {
  const chosen: Member[] = []
  nondominatedFronts(all.map(({ losses }) => losses)).forEach((indices, front) => {
    if (chosen.length >= count) return
    const crowding = crowdingDistances(indices.map((i) => all[i]!.losses))
    const members = indices.map((i, place) => ({ ...all[i]!, front, crowding: crowding[place]! }))
    chosen.push(...members.sort((a, b) => b.crowding - a.crowding).slice(0, count - chosen.length))
  })
  return chosen
}

function tournament(members: readonly Member[], random: Random): Member {
  const [a, b] = [members[random.integer(members.length)]!, members[random.integer(members.length)]!]
  return a.front - b.front || b.crowding - a.crowding < 0 ? a : b
}

function mix(a: Member, b: Member, space: Space, probability: number, random: Random): number[] {
  if (random.uniform() >= probability) return [...a.point]
  return space.axes.map((axis, i) => {
    const [x, y] = [a.point[i]!, b.point[i]!]
    if (random.uniform() < 0.5) return axis.unordered ? y : x
    if (axis.unordered) return x
    const share = random.uniform()
    const spread = (share < 0.5 ? 2 * share : 1 / (2 * (1 - share))) ** (1 / (NEARNESS + 1))
    const side = random.uniform() < 0.5 ? spread : -spread
    return Math.min(1, Math.max(0, (x + y + side * (x - y)) / 2))
  })
}

function mutate(point: number[], space: Space, random: Random): void {
  space.axes.forEach((axis: Axis, i) => {
    if (random.uniform() >= 1 / space.axes.length) return
    const share = random.uniform()
    if (axis.unordered) point[i] = share
    else {
      const shift =
        share < 0.5 ? (2 * share) ** (1 / (NEARNESS + 1)) - 1 : 1 - (2 * (1 - share)) ** (1 / (NEARNESS + 1))
      point[i] = Math.min(1, Math.max(0, point[i]! + shift))
    }
  })
}
