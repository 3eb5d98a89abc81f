/** A worker's side of data parallelism. @module */

import { createCollectives } from '../collectives/index.js'
import { StateError } from '../core/index.js'
import type { FlatParameters } from '../engine/index.js'
import { type Crew, DistributedStrategy, type Group, type ShardGradients } from '../training/index.js'
import type { Collectives, Transport } from '../transport/index.js'

/** Adds up gradients over the threads of a group. Lives in a worker thread. */
export class DataParallelMember extends DistributedStrategy {
  readonly group: Group
  readonly #collectives: Collectives
  readonly #bucketLength: number

  /** @param bucketBytes - Largest piece of the gradients that is reduced at once. */
  constructor(transport: Transport, bucketBytes = Infinity) {
    super()
    this.group = { rank: transport.rank, size: transport.worldSize, generation: 0 }
    this.#collectives = createCollectives(transport)
    this.#bucketLength = Math.floor(bucketBytes / Float32Array.BYTES_PER_ELEMENT)
  }

  start(): Promise<Crew> {
    throw new StateError('A member of a group does not start another.')
  }

  async synchronize(parameters: FlatParameters): Promise<Float32Array> {
    const { gradients } = parameters
    for (let start = 0; start < gradients.length; start += this.#bucketLength)
      await this.#collectives.allReduce(gradients.subarray(start, start + this.#bucketLength))
    return gradients.subarray(parameters.layout.length)
  }

  synchronizeShards(shards: ShardGradients[], total: number, into: Float32Array): Promise<void> {
    return this.#collectives.allReduceShards(shards, total, into)
  }

  averageBuffers(values: Float32Array): Promise<void> {
    return this.#collectives.allReduce(values, { op: 'mean' })
  }
}
