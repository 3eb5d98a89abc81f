/** Tree-structured Parzen estimator. @module */

import { checkWhole, withDefaults } from '../../core/index.js'
import type { Axis, ParameterValue, Params } from '../space/index.js'
import { type Direction, lossOf, type TrialRecord } from '../study/index.js'
import { ParzenMixture } from './parzen.js'
import { randomOf, randomParams, type Sampler, type SamplerContext, type SeedOptions } from './sampler.js'

/** Options of `tpe`. */
export interface TpeOptions extends SeedOptions {
  /** Trials at random before the first estimate. @default 10 */
  startupTrials?: number
  /** Points drawn for each trial, of which the most promising is tried. @default 24 */
  candidates?: number
}

/** How many of the best trials count as good: a tenth, 25 at most. */
const goodOf = (count: number) => Math.min(Math.ceil(0.1 * count), 25)

/**
 * Estimates the density of good points and that of all others, draws from the first, and tries the point where their
 * ratio is largest.
 *
 * All parameters that exist under the same conditions are drawn jointly, so that it follows interactions. Pruned
 * trials count by how far they came. Trials that are running count as not good, so that concurrent ones spread out.
 *
 * @see Bergstra et al. 2011, https://papers.nips.cc/paper/4443-algorithms-for-hyper-parameter-optimization
 * @see Falkner et al. 2018, https://proceedings.mlr.press/v80/falkner18a.html, for the multivariate form
 * @example
 * new Tuner({ space, sampler: tpe({ seed: 1 }) })
 */
export function tpe(options: TpeOptions = {}): Sampler {
  const { seed, startupTrials, candidates } = withDefaults('tpe', options, {
    startupTrials: 10,
    candidates: 24,
    seed: 0,
  })
  randomOf(seed, 0)
  checkWhole('startupTrials of tpe', startupTrials, 0)
  checkWhole('candidates of tpe', candidates)
  return {
    name: 'tpe',
    suggest(context) {
      const { number, space } = context
      const random = randomOf(seed, number)
      const ranked = rank(context)
      if (ranked.length < Math.max(1, startupTrials)) return { params: randomParams(space, random) }
      const running = context.trials.filter(({ state, params }) => state === 'running' && params)
      const params = space.draw(() => {
        const chosen: Record<string, ParameterValue> = {}
        for (const { axes, active } of space.groups)
          if (active(chosen)) Object.assign(chosen, best(axes, ranked, running, chosen))
        return chosen
      })
      return { params }

      /** The most promising of some points in the parameters of one group. */
      function best(axes: readonly Axis[], ranked: TrialRecord[], running: TrialRecord[], before: Params): Params {
        // Only where the group exists did its parameters matter.
        const concerned = ranked.filter(({ params }) => axes[0]!.name in params!)
        const good = concerned.slice(0, goodOf(concerned.length))
        const others = [...concerned.slice(good.length), ...running.filter(({ params }) => axes[0]!.name in params!)]
        const [likely, unlikely] = [good, others].map(
          (trials) =>
            new ParzenMixture(
              axes,
              trials
                .sort((a, b) => a.number - b.number)
                .map(({ params }) => axes.map((axis) => axis.toUnit(params![axis.name]!))),
            ),
        ) as [ParzenMixture, ParzenMixture]
        let most = -Infinity
        let promising: number[] | undefined
        const decode = (point: readonly number[]) =>
          Object.fromEntries(axes.map((axis, i) => [axis.name, axis.fromUnit(point[i]!)]))
        for (let i = 0; i < candidates; i++) {
          const point = likely.draw(random)
          const gain = likely.logDensity(point) - unlikely.logDensity(point)
          const allowed = axes.length < space.axes.length || space.allows({ ...before, ...decode(point) })
          if (promising && (gain <= most || !allowed)) continue
          promising = point
          most = allowed ? gain : -Infinity
        }
        return decode(promising!)
      }
    },
  }
}

/** Trials that tell something, the best first: complete ones by their value, then pruned ones by how far they came. */
function rank({ trials, directions }: SamplerContext): TrialRecord[] {
  const direction = directions[0]!
  const loss = (trial: TrialRecord) => lossOf(trial.values![0]!, direction)
  const complete = trials.filter(({ state }) => state === 'complete').sort((a, b) => loss(a) - loss(b))
  const pruned = trials
    .filter(({ state, reports }) => state === 'pruned' && reports.length > 0)
    .sort((a, b) => b.reports.at(-1)!.step - a.reports.at(-1)!.step || lastLoss(a, direction) - lastLoss(b, direction))
  return [...complete, ...pruned]
}

const lastLoss = (trial: TrialRecord, direction: Direction) => lossOf(trial.reports.at(-1)!.value, direction)
