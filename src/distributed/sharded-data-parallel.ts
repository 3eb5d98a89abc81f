/** ZeRO: data parallelism whose workers share out the optimizer's state. @module */

import { ConfigError, checkWhole, withDefaults } from '../core/index.js'
import type { Crew, LocalParts, TrainingJob } from '../training/index.js'
import type { StrategyDescription } from './create-member.js'
import { type GroupOptions, GroupStrategy, groupDefaults, refuseWholeTensors } from './group-strategy.js'

/** Options of `ShardedDataParallel`. */
export interface ShardedDataParallelOptions extends GroupOptions {
  /**
   * What is shared out: 1 the optimizer's slots, 2 the gradients too. With 2 they travel bucket by bucket while the rest
   * is computed, and after every batch where `accumulateSteps` makes several of a step. With `deterministic`, which needs
   * all gradients at once, 2 does what 1 does.
   * @default 2
   */
  stage?: 1 | 2
  /**
   * Largest bucket of stage 2 in bytes, 4 or more: smaller ones take less memory and more messages. A row of a tensor
   * that is longer is a bucket by itself.
   * @default a 32nd of the gradients, and 64 KiB at least
   */
  bucketBytes?: number
}

/**
 * The maths of `DataParallel`, with the optimizer's slots, and in stage 2 the gradients, split over the workers. Each
 * worker adds up and updates its own share, then all gather the new weights: as many bytes as data parallelism.
 *
 * @see Rajbhandari et al. 2020, ZeRO, https://arxiv.org/abs/1910.02054
 * @example
 * new Trainer({ model, loss: 'meanSquaredError', strategy: new ShardedDataParallel({ stage: 2, workers: 4 }) })
 */
export class ShardedDataParallel extends GroupStrategy {
  readonly description: StrategyDescription

  constructor(options: ShardedDataParallelOptions = {}) {
    const { stage, bucketBytes, ...group } = withDefaults('ShardedDataParallel', options, {
      ...groupDefaults,
      stage: 2,
      bucketBytes: undefined,
    })
    super(group)
    if (stage !== 1 && stage !== 2)
      throw new ConfigError('There is no such stage of ShardedDataParallel.', { expected: '1 or 2', received: stage })
    if (bucketBytes !== undefined) checkWhole('bucketBytes of ShardedDataParallel', bucketBytes, 4)
    this.description = { name: 'sharded', options: { stage, ...(bucketBytes === undefined ? {} : { bucketBytes }) } }
  }

  override async start(job: TrainingJob, local: LocalParts): Promise<Crew> {
    refuseWholeTensors(job, local)
    return super.start(job, local)
  }
}
