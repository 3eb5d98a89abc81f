/**
 * A worker's side of data parallelism where all workers' kernels run on one WebAssembly memory.
 *
 * Weights and optimizer slots lie there once, gradients once per worker. Each worker adds up its share of all gradients
 * and updates its share of the weights; nothing is copied.
 * @module
 */

import {
  aliasDeviceFloats,
  createDeviceAddresses,
  createDeviceFloats,
  type DeviceAddresses,
  type DeviceFloats,
  MEETING_POINTER,
  type Meeting,
  meet,
  wasmExports,
} from '../backends/index.js'
import { StateError } from '../core/index.js'
import { type FlatParameters, flatFloats, type LoweredStep } from '../engine/index.js'
import { applyUpdate, type Optimizer, type Slots, sumOfSquares, type UpdateAt } from '../optimizers/index.js'
import {
  type BufferNeeds,
  type Crew,
  DistributedStrategy,
  type Group,
  type ShardGradients,
  type TrainingBuffers,
} from '../training/index.js'
import type { Collectives } from '../transport/index.js'

/** Elements that are added up and used at a time: 32 KiB. */
const PIECE = 8192
/** A cache line: shares begin on one, so that no two workers write to the same. */
const LINE = 16

/** Lives in a worker thread whose wasm backend uses the memory of all. */
export class OneMemoryMember extends DistributedStrategy {
  readonly group: Group
  readonly #collectives: Collectives
  readonly #meeting: Meeting
  /** Where the gradients of each rank begin, for the kernel that adds them up. */
  #addresses: DeviceAddresses | undefined
  #peers: DeviceFloats[] = []
  /** Whether this worker's share of its own gradients holds the sum over all. */
  #isReduced = false

  /** @param waits - How it waits for the others. */
  constructor(
    group: { rank: number; worldSize: number },
    collectives: Collectives,
    waits: { spins: number; timeoutMs: number },
  ) {
    super()
    this.group = { rank: group.rank, size: group.worldSize, generation: 0 }
    this.#collectives = collectives
    this.#meeting = { pointer: MEETING_POINTER, count: group.worldSize, ...waits }
  }

  override get holders(): number {
    return this.group.size
  }

  override get reduceNow(): ((values: Float64Array) => void) | undefined {
    const collectives = this.#collectives
    return collectives.allReduceNow && ((values) => collectives.allReduceNow!(values))
  }

  start(): Promise<Crew> {
    throw new StateError('A member of a group does not start another.')
  }

  /** Rank 0 makes what all share; each rank makes its own sums and learns where those of the others are. */
  override async createBuffers({ layout: { length }, totals, slots: count }: BufferNeeds): Promise<TrainingBuffers> {
    const { rank, size } = this.group
    const own = createDeviceFloats(length + totals)!
    const shared = Array.from({ length: 1 + count }, () => (rank === 0 ? createDeviceFloats(length)! : undefined))
    // Byte offsets reach 2^32: float64 holds them, int32 would not.
    const places = new Float64Array(size + shared.length)
    places[rank] = own.pointer
    for (const [i, range] of shared.entries()) if (range) places[size + i] = range.pointer
    await this.#collectives.allReduce(places)
    this.#peers = Array.from({ length: size }, (_, peer) =>
      peer === rank ? own : aliasDeviceFloats(places[peer]!, own.length),
    )
    this.#addresses = createDeviceAddresses([...places.subarray(0, size)])
    const [weights, ...slots] = shared.map((range, i) => range ?? aliasDeviceFloats(places[size + i]!, length))
    return { weights: flatFloats(weights!), sums: flatFloats(own), slots: slots.map(flatFloats) }
  }

  /** Waits for the gradients of all. They are added up where they are needed: at the norm, else at the update. */
  async synchronize(parameters: FlatParameters): Promise<Float32Array> {
    const { length } = parameters.layout
    meet(this.#meeting)
    this.#isReduced = this.group.size === 1
    const totals = new Float32Array(this.#peers[0]!.length - length)
    for (const peer of this.#peers) {
      const sums = peer.view()
      for (let i = 0; i < totals.length; i++) totals[i]! += sums[length + i]!
    }
    return totals
  }

  async synchronizeShards(shards: ShardGradients[], total: number, into: Float32Array): Promise<void> {
    await this.#collectives.allReduceShards(shards, total, into)
    this.#isReduced = true
  }

  override async gradientNorm(parameters: FlatParameters): Promise<number> {
    const share = this.#share(parameters.layout.length)
    if (!this.#isReduced) this.#reduce(share)
    this.#isReduced = true
    const squares = new Float64Array(this.group.size)
    squares[this.group.rank] = sumOfSquares(parameters, share)
    // One place for each rank: added up in the same order everywhere.
    await this.#collectives.allReduce(squares)
    return Math.sqrt(squares.reduce((sum, part) => sum + part, 0))
  }

  /** Piece by piece, so that sums are still in the nearest cache when they are used. */
  override update(optimizer: Optimizer, parameters: FlatParameters, slots: Slots, at: UpdateAt): void {
    const share = this.#share(parameters.layout.length)
    for (let from = share.from; from < share.to; from += PIECE) {
      const range = { from, to: Math.min(share.to, from + PIECE) }
      if (!this.#isReduced) this.#reduce(range)
      applyUpdate(optimizer, parameters, slots, { ...at, range })
    }
  }

  /** No worker reads weights, or overwrites gradients, before all have made their update. */
  override async afterStep(): Promise<void> {
    meet(this.#meeting)
  }

  override lower({ layout }: FlatParameters): LoweredStep {
    const { size } = this.group
    if (size === 1) return {}
    const peers = { pointers: this.#addresses!.pointer, count: size, meeting: this.#meeting }
    return { share: this.#share(layout.length), peers }
  }

  averageBuffers(values: Float32Array): Promise<void> {
    return this.#collectives.allReduce(values, { op: 'mean' })
  }

  /** Adds up a part of the gradients of all workers, in rank order, where this worker's own are. */
  #reduce({ from, to }: { from: number; to: number }): void {
    const own = this.#peers[this.group.rank]!
    wasmExports()!.sumRanges(this.#addresses!.pointer, this.group.size, own.pointer, from, to - from)
  }

  #share(length: number): { from: number; to: number } {
    const { rank, size } = this.group
    const share = Math.ceil(length / size / LINE) * LINE
    return { from: Math.min(length, rank * share), to: Math.min(length, (rank + 1) * share) }
  }
}
