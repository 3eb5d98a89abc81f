/** Hyperband. @module */

import { ConfigError, checkWhole, Random, withDefaults } from '../../core/index.js'
import { isHalved } from './asha.js'
import type { Scheduler } from './scheduler.js'

/** Options of `hyperband`. */
export interface HyperbandOptions {
  /** Steps after which a trial of the strictest bracket is judged first. @default 1 */
  minSteps?: number
  /** Steps of a whole trial, after which none is judged. */
  maxSteps: number
  /** One trial in so many goes on at each judgement. @default 3 */
  reductionFactor?: number
}

/**
 * Successive halving at several degrees of strictness at once, for when early values may mislead: each trial belongs
 * to a bracket, which judges first after `minSteps`, or `reductionFactor` times as many, or that times as many again.
 *
 * A bracket gets its share of the trials by the number of trials that it takes to use as many steps as another.
 *
 * @see Li et al. 2018, https://www.jmlr.org/papers/v18/16-558.html
 */
export function hyperband(options: HyperbandOptions): Scheduler {
  const { minSteps, maxSteps, reductionFactor } = withDefaults('hyperband', options, {
    minSteps: 1,
    maxSteps: undefined,
    reductionFactor: 3,
  })
  checkWhole('minSteps of hyperband', minSteps)
  checkWhole('maxSteps of hyperband', maxSteps)
  checkWhole('reductionFactor of hyperband', reductionFactor, 2)
  if (maxSteps < minSteps)
    throw new ConfigError('maxSteps of hyperband is below minSteps.', {
      expected: `at least ${minSteps}`,
      received: maxSteps,
    })
  // A little more, for log(243) / log(3) is less than 5.
  const halvings = Math.floor(Math.log(maxSteps / minSteps) / Math.log(reductionFactor) + 1e-9)
  // Strictness s: halved s times before the end.
  const sizes = Array.from({ length: halvings + 1 }, (_, i) => {
    const s = halvings - i
    return Math.ceil(((halvings + 1) * reductionFactor ** s) / (s + 1))
  })
  const ends = sizes.map((_, i) => sizes.slice(0, i + 1).reduce((sum, size) => sum + size, 0))
  const total = ends.at(-1)!
  const bracketOf = (number: number) => {
    // By chance, but always the same, so that brackets do not get the samplers' trials in a pattern.
    const place = new Random(0, number).integer(total)
    return ends.findIndex((end) => place < end)
  }
  return {
    name: 'hyperband',
    shouldPrune(context) {
      // Nothing is saved by ending a trial that is whole.
      if (context.trial.reports.at(-1)!.step >= maxSteps) return false
      const bracket = bracketOf(context.trial.number)
      const rivals = context.trials.filter(({ number }) => bracketOf(number) === bracket)
      return isHalved(context, rivals, minSteps * reductionFactor ** bracket, reductionFactor)
    },
  }
}
