/** Local SGD and DiLoCo: workers that talk once in many steps. @module */

import { checkWhole, withDefaults } from '../core/index.js'
import type { Crew, LocalParts, TrainingJob } from '../training/index.js'
import type { StrategyDescription } from './create-member.js'
import { type GroupOptions, GroupStrategy, groupDefaults, refuseDeterministic } from './group-strategy.js'
import type { OuterOptimizer } from './outer-optimizer.js'

/** Options of `LocalSGD`. */
export interface LocalSGDOptions extends GroupOptions {
  /** Updates between two averages of the weights, 1 or more. */
  everySteps: number
  /** What is done with the average: see `nesterov`. Set, it makes local SGD DiLoCo. @default the average is taken as it is */
  outer?: OuterOptimizer
}

/**
 * Every worker trains on its rows of each batch by itself, with an optimizer of its own; every so many steps their
 * weights are averaged. Where it is read, at the end of an epoch and at a checkpoint, the state is averaged too.
 *
 * @see Stich 2019, https://arxiv.org/abs/1805.09767, and Douillard et al. 2023, https://arxiv.org/abs/2311.08105
 * @example
 * new LocalSGD({ workers: 4, everySteps: 50, outer: nesterov({ learningRate: 0.7, momentum: 0.9 }) })
 */
export class LocalSGD extends GroupStrategy {
  readonly description: StrategyDescription

  constructor(options: LocalSGDOptions) {
    const { everySteps, outer, ...group } = withDefaults('LocalSGD', options, {
      ...groupDefaults,
      everySteps: undefined,
      outer: undefined,
    })
    super(group)
    checkWhole('everySteps of LocalSGD', everySteps)
    this.description = { name: 'local', options: { everySteps, ...(outer ? { outer } : {}) } }
  }

  override async start(job: TrainingJob, local: LocalParts): Promise<Crew> {
    refuseDeterministic('LocalSGD', job)
    return super.start(job, local)
  }
}
