/** Asynchronous successive halving. @module */

import { checkWhole, withDefaults } from '../../core/index.js'
import { lossOf } from '../study/index.js'
import { reportAt, type Scheduler, type SchedulerContext } from './scheduler.js'

/** Options of `asha`. */
export interface AshaOptions {
  /** Steps after which a trial is judged first. @default 1 */
  minSteps?: number
  /** One trial in so many goes on at each judgement, for so many times as long. @default 4 */
  reductionFactor?: number
}

/**
 * Judges trials after `minSteps`, then after `reductionFactor` times as many, and so on. Of the values that trials had
 * there so far, the best of every `reductionFactor` goes on; no trial waits for another.
 *
 * @see Li et al. 2020, "A System for Massively Parallel Hyperparameter Tuning", https://arxiv.org/abs/1810.05934: the
 *   stopping form, in which a trial that is not among the best at once does not come back
 * @example
 * new Tuner({ space, scheduler: asha({ minSteps: 1, reductionFactor: 4 }) })
 */
export function asha(options: AshaOptions = {}): Scheduler {
  const { minSteps, reductionFactor } = withDefaults('asha', options, { minSteps: 1, reductionFactor: 4 })
  checkWhole('minSteps of asha', minSteps)
  checkWhole('reductionFactor of asha', reductionFactor, 2)
  return {
    name: 'asha',
    shouldPrune: (context) => isHalved(context, context.trials, minSteps, reductionFactor),
  }
}

/** Whether the trial passed a rung with its last report and is not among the best there. */
export function isHalved(
  { trial, previousStep, direction }: SchedulerContext,
  competitors: readonly TrialLike[],
  minSteps: number,
  reductionFactor: number,
): boolean {
  const { step, value } = trial.reports.at(-1)!
  const own = lossOf(value, direction)
  for (let rung = minSteps; rung <= step; rung *= reductionFactor) {
    if (previousStep !== undefined && previousStep >= rung) continue
    const losses = competitors
      .map((other) => reportAt(other, rung))
      .filter((report) => report !== undefined)
      .map((report) => lossOf(report.value, direction))
    const better = losses.filter((loss) => loss < own).length
    if (better >= Math.max(1, Math.floor(losses.length / reductionFactor))) return true
  }
  return false
}

type TrialLike = SchedulerContext['trial']
