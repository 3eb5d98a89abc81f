/** The median rule. @module */

import { checkWhole, withDefaults } from '../../core/index.js'
import { lossOf } from '../study/index.js'
import { bestLoss, reportAt, type Scheduler } from './scheduler.js'

/** Options of `median`. */
export interface MedianOptions {
  /** Complete trials before any is pruned. @default 5 */
  startupTrials?: number
  /** Steps that every trial may make. @default 0 */
  warmupSteps?: number
}

/**
 * Ends a trial whose best value so far is worse than the median of what the complete trials had at the same step.
 *
 * @see Golovin et al. 2017, "Google Vizier", section 3.2.2, https://doi.org/10.1145/3097983.3098043
 */
export function median(options: MedianOptions = {}): Scheduler {
  const { startupTrials, warmupSteps } = withDefaults('median', options, { startupTrials: 5, warmupSteps: 0 })
  checkWhole('startupTrials of median', startupTrials)
  checkWhole('warmupSteps of median', warmupSteps, 0)
  return {
    name: 'median',
    shouldPrune({ trial, trials, direction }) {
      const { step } = trial.reports.at(-1)!
      if (step <= warmupSteps) return false
      const others = trials
        .filter(({ state }) => state === 'complete')
        .map((other) => reportAt(other, step))
        .filter((report) => report !== undefined)
        .map(({ value }) => lossOf(value, direction))
        .sort((a, b) => a - b)
      if (others.length < startupTrials) return false
      const middle = (others[Math.floor((others.length - 1) / 2)]! + others[Math.ceil((others.length - 1) / 2)]!) / 2
      return bestLoss(trial, direction) > middle
    },
  }
}
