/** What every worker's side of a strategy has in common. @module */

import { createCollectives } from '../collectives/index.js'
import { StateError } from '../core/index.js'
import { type Crew, DistributedStrategy, type Group, type ShardGradients } from '../training/index.js'
import type { Collectives, Transport } from '../transport/index.js'
import { CountedTransport } from './counted-transport.js'

/**
 * Lives in a worker, thread or process, and talks to its peers: over all of them by `collectives`, over some by what
 * `subgroup` and `mesh` make of `transport`.
 */
export abstract class GroupMember extends DistributedStrategy {
  readonly group: Group
  protected readonly transport: Transport
  protected readonly collectives: Collectives
  readonly #counted: CountedTransport

  /** @param options - `native`: whether collectives that the transport does itself are used. */
  constructor(transport: Transport, { native = true }: { native?: boolean } = {}) {
    super()
    this.#counted = new CountedTransport(transport, { native })
    this.transport = this.#counted
    this.group = { rank: transport.rank, size: transport.worldSize, generation: 0 }
    this.collectives = createCollectives(this.transport)
  }

  override get sentBytes(): number {
    return this.#counted.sentBytes
  }

  override get reduceNow(): ((values: Float64Array) => void) | undefined {
    const { native } = this.transport
    return native?.allReduceNow && ((values) => native.allReduceNow!(values))
  }

  start(): Promise<Crew> {
    throw new StateError('A member of a group does not start another.')
  }

  synchronizeShards(shards: ShardGradients[], total: number, into: Float32Array): Promise<void> {
    return this.collectives.allReduceShards(shards, total, into)
  }

  averageBuffers(values: Float32Array): Promise<void> {
    return this.collectives.allReduce(values, { op: 'mean' })
  }
}
