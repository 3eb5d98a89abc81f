/** Training in the thread that calls `fit`. @module */

import { treeSum } from '../core/index.js'
import type { FlatParameters, LoweredStep } from '../engine/index.js'
import type { Crew, TrainingJob } from './job.js'
import type { LocalParts } from './local-parts.js'
import { Replica } from './replica.js'
import { DistributedStrategy, type Group, type ShardGradients } from './strategy.js'

/**
 * The default strategy: one worker, in this thread.
 *
 * @example
 * new Trainer({ model, loss: 'meanSquaredError', strategy: new SingleWorker() })
 */
export class SingleWorker extends DistributedStrategy {
  readonly group: Group = { rank: 0, size: 1, generation: 0 }

  override get reduceNow(): () => void {
    return () => {}
  }

  async start(job: TrainingJob, local: LocalParts): Promise<Crew> {
    return Replica.create(job, local, this)
  }

  async synchronize(parameters: FlatParameters): Promise<Float32Array> {
    return parameters.ownTotals
  }

  async synchronizeShards(shards: ShardGradients[], _total: number, into: Float32Array): Promise<void> {
    into.set(treeSum(shards.map(({ values }) => values)))
  }

  override lower(): LoweredStep {
    return {}
  }

  async averageBuffers(): Promise<void> {}
}
