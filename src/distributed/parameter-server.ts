/** Asynchronous training with bounded staleness. @module */

import { checkWhole, withDefaults } from '../core/index.js'
import type { Crew, LocalParts, TrainingJob } from '../training/index.js'
import type { StrategyDescription } from './create-member.js'
import {
  type GroupOptions,
  GroupStrategy,
  groupDefaults,
  refuseDeterministic,
  refuseWholeTensors,
} from './group-strategy.js'

/** Options of `ParameterServer`. */
export interface ParameterServerStrategyOptions extends GroupOptions {
  /** Steps that a worker may be ahead of the slowest, 0 or more. @default 2 */
  staleness?: number
}

/**
 * Workers that do not wait for each other: each sends its gradients to the owners of the weights, which update them as
 * gradients come, and trains on with the weights that come back. Every worker is server of a share of the weights and
 * keeps the optimizer's slots of that share. One step of the global batch is as many updates as there are workers, each
 * of its part of the rows.
 *
 * Runs do not repeat themselves to the bit. Where callbacks look at every step (`onStepEnd` without `relaxed`), workers
 * meet after each.
 *
 * @see Ho et al. 2013, stale synchronous parallel, https://papers.nips.cc/paper/4894
 * @example
 * new Trainer({ model, loss: 'meanSquaredError', strategy: new ParameterServer({ workers: 4, staleness: 3 }) })
 */
export class ParameterServer extends GroupStrategy {
  readonly description: StrategyDescription

  constructor(options: ParameterServerStrategyOptions = {}) {
    const { staleness, ...group } = withDefaults('ParameterServer', options, { ...groupDefaults, staleness: 2 })
    super(group)
    checkWhole('staleness of ParameterServer', staleness, 0)
    this.description = { name: 'parameter-server', options: { staleness } }
  }

  override async start(job: TrainingJob, local: LocalParts): Promise<Crew> {
    refuseDeterministic('ParameterServer', job)
    refuseWholeTensors(job, local)
    return super.start(job, local)
  }
}
