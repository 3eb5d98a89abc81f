/** A worker's side of data parallelism. @module */

import { StateError } from '../core/index.js'
import { type Crew, DistributedStrategy, type Group, type ShardGradients } from '../training/index.js'
import { type Collectives, SharedCollectives, SharedPlace, type SharedTicket } from '../transport/index.js'

/** Adds up gradients over the threads of a group. Lives in a worker thread. */
export class DataParallelMember extends DistributedStrategy {
  readonly group: Group
  readonly #collectives: Collectives

  constructor(ticket: SharedTicket) {
    super()
    this.group = { rank: ticket.rank, size: ticket.worldSize, generation: 0 }
    this.#collectives = new SharedCollectives(new SharedPlace(ticket))
  }

  start(): Promise<Crew> {
    throw new StateError('A member of a group does not start another.')
  }

  synchronize(gradients: Float32Array): Promise<void> {
    return this.#collectives.allReduce(gradients)
  }

  synchronizeShards(shards: ShardGradients[], total: number, into: Float32Array): Promise<void> {
    return this.#collectives.allReduceShards(shards, total, into)
  }

  averageBuffers(values: Float32Array): Promise<void> {
    return this.#collectives.allReduce(values, { op: 'mean' })
  }
}
