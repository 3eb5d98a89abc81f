/** ZeRO: data parallelism whose workers share out the optimizer's state. @module */

import { ConfigError } from '../core/index.js'
import type { Crew, LocalParts, TrainingJob } from '../training/index.js'
import type { StrategyDescription } from './create-member.js'
import { type GroupOptions, GroupStrategy, refuseWholeTensors } from './group-strategy.js'

/** Options of `ShardedDataParallel`. */
export interface ShardedDataParallelOptions extends GroupOptions {
  /**
   * What is shared out: 1 the optimizer's slots, 2 the gradients too. Both do the same so far: gradients are added up by
   * range, in a buffer of full length.
   * @default 2
   */
  stage?: 1 | 2
}

/**
 * The maths of `DataParallel`, with the optimizer's slots split over the workers. Each worker adds up and updates its
 * own share, then all gather the new weights: as many bytes as data parallelism.
 *
 * @see Rajbhandari et al. 2020, ZeRO, https://arxiv.org/abs/1910.02054
 * @example
 * new Trainer({ model, loss: 'meanSquaredError', strategy: new ShardedDataParallel({ stage: 2, workers: 4 }) })
 */
export class ShardedDataParallel extends GroupStrategy {
  readonly description: StrategyDescription

  constructor({ stage = 2, ...group }: ShardedDataParallelOptions = {}) {
    super(group)
    if (stage !== 1 && stage !== 2)
      throw new ConfigError('There is no such stage of ShardedDataParallel.', { expected: '1 or 2', received: stage })
    this.description = { name: 'sharded', options: { stage } }
  }

  override async start(job: TrainingJob, local: LocalParts): Promise<Crew> {
    refuseWholeTensors(job, local)
    return super.start(job, local)
  }
}
