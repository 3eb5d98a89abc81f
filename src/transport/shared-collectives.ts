/** Collectives of worker threads over their shared memory. @module */

import { ShapeError, treeSum } from '../core/index.js'
import { type Collectives, type ReduceOptions, type Reducible, type Shard, shareOf } from './collectives.js'
import { combineInto, divideMean } from './combine.js'
import type { SharedPlace } from './shared-group.js'

/**
 * Every rank writes its values into its slot, combines its share of all slots in rank order, and reads the shares of
 * the others. Long arrays go through in pieces as long as a slot.
 */
export class SharedCollectives implements Collectives {
  readonly #place: SharedPlace

  constructor(place: SharedPlace) {
    this.#place = place
  }

  async allReduce(array: Reducible, { op = 'sum' }: ReduceOptions = {}): Promise<void> {
    const place = this.#place
    const { rank, worldSize, slotLength } = place
    const slots = Array.from({ length: worldSize }, (_, peer) => place.slot(peer, array))
    const own = slots[rank]!
    const result = slots[0]!
    for (let start = 0; start < array.length; start += slotLength) {
      const length = Math.min(slotLength, array.length - start)
      own.set(array.subarray(start, start + length))
      place.barrier()
      // Slot 0 receives the result: of each element only the rank that owns it reads and writes here.
      const { start: from, end: to } = shareOf(length, rank, worldSize)
      const [into, ...others] = slots.map((slot) => slot.subarray(from, to))
      for (const other of others) combineInto(op, into!, into!, other)
      divideMean(op, into!, worldSize)
      place.barrier()
      array.set(result.subarray(0, length), start)
      place.barrier()
    }
  }

  async allReduceShards(shards: readonly Shard[], total: number, into: Float32Array): Promise<void> {
    const place = this.#place
    const { rank, worldSize, slotLength } = place
    const slots = Array.from({ length: worldSize }, (_, peer) => place.slot(peer, into))
    const own = slots[rank]!
    const counts = shardCounts(total, worldSize)
    // Each rank's slot holds a piece of every shard that it owns, one after another.
    const piece = Math.floor(slotLength / Math.max(...counts))
    for (let start = 0; start < into.length; start += piece) {
      const length = Math.min(piece, into.length - start)
      shards.forEach(({ values }, i) => {
        own.set(values.subarray(start, start + length), i * piece)
      })
      place.barrier()
      const parts = counts.flatMap((count, peer) =>
        Array.from({ length: count }, (_, i) => slots[peer]!.slice(i * piece, i * piece + length)),
      )
      into.set(treeSum(parts), start)
      place.barrier()
    }
  }

  async reduceScatter<T extends Reducible>(array: T, options?: ReduceOptions): Promise<T> {
    await this.allReduce(array, options)
    const { start, end } = shareOf(array.length, this.#place.rank, this.#place.worldSize)
    return array.subarray(start, end) as T
  }

  async allGather<T extends Reducible>(array: T, { into }: { into?: T } = {}): Promise<T> {
    const { rank, worldSize } = this.#place
    const lengths = new Int32Array(worldSize)
    lengths[rank] = array.length
    await this.allReduce(lengths)
    const Class = array.constructor as new (length: number) => T
    const total = lengths.reduce((sum, length) => sum + length, 0)
    const result = into ?? new Class(total)
    if (result.length !== total)
      throw new ShapeError('The array for what allGather gathers does not have its length.', {
        expected: total,
        received: result.length,
      })
    let start = 0
    for (let peer = 0; peer < worldSize; peer++) {
      const part = result.subarray(start, start + lengths[peer]!) as T
      if (peer === rank) part.set(array)
      await this.broadcast(part, peer)
      start += part.length
    }
    return result
  }

  async broadcast(array: Reducible, root: number): Promise<void> {
    const place = this.#place
    const slot = place.slot(root, array)
    for (let start = 0; start < array.length; start += place.slotLength) {
      const length = Math.min(place.slotLength, array.length - start)
      if (place.rank === root) slot.set(array.subarray(start, start + length))
      place.barrier()
      if (place.rank !== root) array.set(slot.subarray(0, length), start)
      place.barrier()
    }
  }

  async allToAll<T extends Reducible>(parts: readonly T[]): Promise<T[]> {
    const { rank, worldSize } = this.#place
    if (parts.length !== worldSize)
      throw new ShapeError('allToAll needs one array for each rank.', { expected: worldSize, received: parts.length })
    const lengths = await this.allGather(Int32Array.from(parts, ({ length }) => length))
    const Class = parts[rank]!.constructor as new (length: number) => T
    const received: T[] = []
    for (let from = 0; from < worldSize; from++)
      for (let to = 0; to < worldSize; to++) {
        const part = new Class(lengths[from * worldSize + to]!)
        if (rank === from) part.set(parts[to]!)
        await this.broadcast(part, from)
        if (rank === to) received[from] = part
      }
    return received
  }

  async barrier(): Promise<void> {
    this.#place.barrier()
  }
}

/** How many of `total` shards each rank holds: consecutive ones, the first ranks taking the rest. */
function shardCounts(total: number, worldSize: number): number[] {
  return Array.from(
    { length: worldSize },
    (_, rank) => Math.floor(total / worldSize) + (rank < total % worldSize ? 1 : 0),
  )
}
