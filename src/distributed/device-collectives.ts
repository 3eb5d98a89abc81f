/**
 * Collectives of workers that have a GPU each: arrays in its memory go from GPU to GPU, all others as the transport does
 * them.
 *
 * Owns: whether the GPUs form a group, and that nobody waits for a worker that the transport has lost.
 * Leaves: what goes between GPUs to the backend, everything else to the transport's own collectives.
 * @module
 */

import type { DeviceGroup, WorkerDevices } from '../backends/index.js'
import { createCollectives } from '../collectives/index.js'
import { CallQueue, TransportError } from '../core/index.js'
import type { Collectives, ReduceOptions, Reducible, Shard, Transport } from '../transport/index.js'
import { findObstacle } from './device-obstacle.js'

/** Nothing is ever sent with this tag: who waits for it learns that a peer is lost, or the group at its end. */
const WATCH_TAG = 2 ** 31 - 3
/** What takes no longer is not worth a look at the transport. */
const WATCH_AFTER_MS = 500
const ID_INTS = 32

/** One worker's end. */
export class DeviceCollectives implements Collectives {
  readonly allReduceNow?: NonNullable<Collectives['allReduceNow']>
  readonly #transport: Transport
  readonly #devices: WorkerDevices
  readonly #others: Collectives
  /** All calls, in the order in which every worker makes them. */
  readonly #calls = new CallQueue()
  #forming: Promise<DeviceGroup | undefined> | undefined
  #group: DeviceGroup | undefined
  #end: TransportError | undefined
  /** Number of the operation that is waited for; 0 for none. */
  #waiting = 0
  #operations = 0
  /** Peers whose loss this worker would hear of. */
  readonly #watched = new Set<number>()

  constructor(transport: Transport, devices: WorkerDevices) {
    this.#transport = transport
    this.#devices = devices
    this.#others = createCollectives(transport)
    const now = this.#others.allReduceNow?.bind(this.#others)
    if (now) this.allReduceNow = now
  }

  allReduce(array: Reducible, options: ReduceOptions = {}): Promise<void> {
    return this.#calls.run(async () => {
      // Every worker's array is on its GPU, or nobody's: they run one job.
      const group =
        array instanceof Float32Array && this.#devices.holds(array) ? await this.#devicesTogether() : undefined
      await (group
        ? this.#attended(group.allReduce(array as Float32Array, options.op ?? 'sum'))
        : this.#others.allReduce(array, options))
    })
  }

  broadcast(array: Reducible, root: number): Promise<void> {
    return this.#calls.run(() => this.#others.broadcast(array, root))
  }

  allReduceShards(shards: readonly Shard[], total: number, into: Float32Array): Promise<void> {
    return this.#calls.run(() => this.#others.allReduceShards(shards, total, into))
  }

  reduceScatter<T extends Reducible>(array: T, options?: ReduceOptions): Promise<T> {
    return this.#calls.run(() => this.#others.reduceScatter(array, options))
  }

  allGather<T extends Reducible>(array: T, options?: { into?: T }): Promise<T> {
    return this.#calls.run(() => this.#others.allGather(array, options))
  }

  allToAll<T extends Reducible>(parts: readonly T[]): Promise<T[]> {
    return this.#calls.run(() => this.#others.allToAll(parts))
  }

  barrier(): Promise<void> {
    return this.#calls.run(() => this.#others.barrier())
  }

  /** Ends this worker's part on its GPU: whatever waits there for others fails with the reason. */
  end(reason: TransportError): void {
    this.#end ??= reason
    this.#group?.abort(this.#end)
  }

  /** The group of the GPUs; undefined where there can be none. */
  #devicesTogether(): Promise<DeviceGroup | undefined> {
    if (this.#end) throw this.#end
    this.#forming ??= this.#form()
    return this.#forming
  }

  /** Brings the GPUs together where that is possible, else says why it is not: all workers come to the same. */
  async #form(): Promise<DeviceGroup | undefined> {
    const { rank, worldSize } = this.#transport
    const { link, obstacle } = await findObstacle(this.#devices, this.#others, worldSize)
    if (!link || obstacle !== undefined) {
      if (rank === 0) console.warn(`dcml: gradients go through the memory of the host, which is slower. ${obstacle}`)
      return undefined
    }
    const id = new Int32Array(ID_INTS)
    if (rank === 0) new Uint8Array(id.buffer).set(link.createGroupId())
    await this.#others.broadcast(id, 0)
    const group = link.join({ id: new Uint8Array(id.buffer), rank, worldSize })
    this.#group = group
    if (this.#end) group.abort(this.#end)
    await this.#attended(group.ready)
    return group
  }

  /** Waits for what the GPUs do together. */
  async #attended(operation: Promise<void>): Promise<void> {
    this.#waiting = ++this.#operations
    const timer = setTimeout(() => this.#watch(), WATCH_AFTER_MS)
    try {
      await operation
    } catch (error) {
      // A group whose member has failed is of no use any more, and must not keep the GPU busy.
      this.end(error instanceof TransportError ? error : new TransportError((error as Error).message, { cause: error }))
      throw error
    } finally {
      clearTimeout(timer)
      this.#waiting = 0
    }
  }

  /** Waits at the transport for what never comes, until it says why. */
  #watch(): void {
    const since = this.#waiting
    for (let peer = 0; peer < this.#transport.worldSize; peer++) {
      if (peer === this.#transport.rank || this.#watched.has(peer)) continue
      this.#watched.add(peer)
      this.#transport.receive(peer, WATCH_TAG).catch((error: TransportError) => {
        this.#watched.delete(peer)
        if (this.#waiting === since) this.end(error)
        // It was about an operation before, which came late and is done.
        else if (this.#waiting > 0) this.#watch()
      })
    }
  }
}
