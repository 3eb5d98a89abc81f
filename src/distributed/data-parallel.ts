/** Data parallelism over the cores of this machine, or over processes on any number of machines. @module */

import { ConfigError, checkWhole, withDefaults } from '../core/index.js'
import type { Crew, LocalParts, TrainingJob } from '../training/index.js'
import type { Compression } from './compression/compression.js'
import type { StrategyDescription } from './create-member.js'
import { type GroupOptions, GroupStrategy, groupDefaults, refuseDeterministic } from './group-strategy.js'

/** Options of `DataParallel`. */
export interface DataParallelOptions extends GroupOptions {
  /**
   * Divides the gradients into buckets of at most so many bytes, 4 or more; each is reduced while the rest is computed.
   * Pays where the network is slow, and workers have memories of their own. @default all at once, in the end
   */
  bucketBytes?: number
  /**
   * Makes gradients smaller before they travel, by messages: for workers that share no memory. All travel at once,
   * without `bucketBytes`.
   * @default none
   */
  compression?: Compression
}

/**
 * Every worker thread holds a copy of the model, computes its rows of each global batch, and adds its gradients to
 * those of the others over the transport. The caller's thread only coordinates.
 *
 * @example
 * new Trainer({ model, loss: 'meanSquaredError', strategy: new DataParallel({ workers: 2 }) })
 */
export class DataParallel extends GroupStrategy {
  readonly description: StrategyDescription & { name: 'data-parallel' }

  constructor(options: DataParallelOptions = {}) {
    const { bucketBytes, compression, ...group } = withDefaults('DataParallel', options, {
      ...groupDefaults,
      bucketBytes: undefined,
      compression: undefined,
    })
    super(group)
    if (bucketBytes !== undefined) checkWhole('bucketBytes of DataParallel', bucketBytes, 4)
    if (bucketBytes !== undefined && compression)
      throw new ConfigError('Compressed gradients travel all at once.', {
        received: 'bucketBytes and compression',
        remedy: 'Leave bucketBytes out',
      })
    this.description = {
      name: 'data-parallel',
      options: { ...(bucketBytes === undefined ? {} : { bucketBytes }), ...(compression ? { compression } : {}) },
    }
  }

  override async start(job: TrainingJob, local: LocalParts): Promise<Crew> {
    if (this.description.options.compression) refuseDeterministic('compression', job)
    return super.start(job, local)
  }
}
