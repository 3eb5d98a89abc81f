/**
 * Collectives of worker threads over their shared memory.
 *
 * Arrays go through in pieces, and a piece through stages: written by each rank into a buffer of its own, combined,
 * read. All ranks are in the same turn; in a turn each writes one piece, combines the one before and reads the one
 * before that, so that a barrier per turn is enough.
 * @module
 */

import { treeSum } from '../core/index.js'
import { checkParts, checkShards, emptyLike, gatheredInto } from './collective-arguments.js'
import {
  type Collectives,
  type ReduceOperation,
  type ReduceOptions,
  type Reducible,
  type Shard,
  shareOf,
} from './collectives.js'
import { combineInto, divideMean } from './combine.js'
import { type FloatSums, floatSums } from './float-sums.js'
import { BUFFERS, type SharedPlace } from './shared-group.js'

/** Up to so many bytes every rank combines the whole arrays, which needs one barrier less. */
const SHORT_BYTES = 1 << 13

/** What is done with a piece in its turn, given the buffers of all ranks that it is in. */
type Stage<T> = (piece: number, buffers: readonly T[]) => void

/** Blocks its thread while it waits for the others. */
export class SharedCollectives implements Collectives {
  readonly #place: SharedPlace
  readonly #sums: FloatSums | undefined
  /** Every turn has the next buffer, whatever the operation. */
  #turn = 0
  /** The buffers as arrays of each class, by number and rank. */
  readonly #views = new Map<unknown, Reducible[][]>()

  constructor(place: SharedPlace) {
    this.#place = place
    this.#sums = floatSums(place.memory)
  }

  async allReduce(array: Reducible, options?: ReduceOptions): Promise<void> {
    this.allReduceNow(array, options)
  }

  allReduceNow(array: Reducible, { op = 'sum' }: ReduceOptions = {}): void {
    if (array.byteLength <= SHORT_BYTES) this.#reduceShort(array, op)
    else this.#reduce(array, { op, isSpread: true })
  }

  async allReduceShards(shards: readonly Shard[], total: number, into: Float32Array): Promise<void> {
    const { rank, worldSize } = this.#place
    checkShards(shards, total, this.#place)
    const most = shareOf(total, 0, worldSize).end
    const lane = Math.floor(this.#bufferLength(into) / most)
    const pieceOf = (array: Float32Array, piece: number) => array.subarray(piece * lane, (piece + 1) * lane)
    this.#run(into, Math.ceil(into.length / lane), [
      (piece, buffers) => {
        for (const [i, { values }] of shards.entries()) buffers[rank]!.set(pieceOf(values, piece), i * lane)
      },
      (piece, buffers) => {
        const { start, end } = shareOf(pieceOf(into, piece).length, rank, worldSize)
        const parts = buffers.flatMap((buffer, peer) => {
          const { start: first, end: last } = shareOf(total, peer, worldSize)
          return Array.from({ length: last - first }, (_, i) => buffer.subarray(i * lane + start, i * lane + end))
        })
        // The sum comes to lie where the first shard was, which is the first rank's.
        treeSum(parts, (sum, other) => this.#combine('sum', sum, other))
      },
      (piece, buffers) => {
        const sum = pieceOf(into, piece)
        sum.set(buffers[0]!.subarray(0, sum.length))
      },
    ])
  }

  async reduceScatter<T extends Reducible>(array: T, { op = 'sum' }: ReduceOptions = {}): Promise<T> {
    this.#reduce(array, { op, isSpread: false })
    const { start, end } = shareOf(array.length, this.#place.rank, this.#place.worldSize)
    return array.subarray(start, end) as T
  }

  async allGather<T extends Reducible>(array: T, { into }: { into?: T } = {}): Promise<T> {
    const { rank } = this.#place
    const lengths = this.#exchangeNumbers([array.length]).map(([length]) => length!)
    const total = lengths.reduce((sum, length) => sum + length, 0)
    const result = gatheredInto(array, total, into)
    const startOf = (peer: number) => lengths.slice(0, peer).reduce((sum, length) => sum + length, 0)
    const parts = lengths.map((length, peer) => result.subarray(startOf(peer), startOf(peer) + length) as T)
    parts[rank]!.set(array)
    const length = this.#bufferLength(array)
    const pieceOf = (part: T, piece: number) => part.subarray(piece * length, (piece + 1) * length)
    this.#run(array, Math.ceil(Math.max(...lengths) / length), [
      (piece, buffers) => buffers[rank]!.set(pieceOf(array, piece)),
      (piece, buffers) => {
        for (const [peer, part] of parts.entries()) {
          const values = pieceOf(part, piece)
          if (peer !== rank) values.set(buffers[peer]!.subarray(0, values.length))
        }
      },
    ])
    return result
  }

  async broadcast(array: Reducible, root: number): Promise<void> {
    const { rank } = this.#place
    const length = this.#bufferLength(array)
    const pieceOf = (piece: number) => array.subarray(piece * length, (piece + 1) * length)
    this.#run(array, Math.ceil(array.length / length), [
      (piece, buffers) => {
        if (rank === root) buffers[root]!.set(pieceOf(piece))
      },
      (piece, buffers) => {
        const values = pieceOf(piece)
        if (rank !== root) values.set(buffers[root]!.subarray(0, values.length))
      },
    ])
  }

  async allToAll<T extends Reducible>(parts: readonly T[]): Promise<T[]> {
    const { rank, worldSize } = this.#place
    checkParts(parts, worldSize)
    const like = parts[rank]!
    const lengths = this.#exchangeNumbers(parts.map(({ length }) => length))
    const received = lengths.map((row) => emptyLike(like, row[rank]!))
    const lane = Math.floor(this.#bufferLength(like) / worldSize)
    const pieceOf = (part: T, piece: number) => part.subarray(piece * lane, (piece + 1) * lane)
    this.#run(like, Math.ceil(Math.max(...lengths.flat()) / lane), [
      (piece, buffers) => {
        for (const [peer, part] of parts.entries()) buffers[rank]!.set(pieceOf(part, piece), peer * lane)
      },
      (piece, buffers) => {
        for (const [peer, part] of received.entries()) {
          const values = pieceOf(part, piece)
          values.set(buffers[peer]!.subarray(rank * lane, rank * lane + values.length))
        }
      },
    ])
    return received
  }

  async barrier(): Promise<void> {
    this.#place.barrier()
  }

  /** Each rank combines its share, lane by lane, and all read the shares of the others. */
  #reduce(array: Reducible, { op, isSpread }: { op: ReduceOperation; isSpread: boolean }): void {
    const { rank, worldSize } = this.#place
    const lane = Math.floor(this.#bufferLength(array) / worldSize)
    const pieceOf = (peer: number, piece: number) => {
      const { start, end } = shareOf(array.length, peer, worldSize)
      return array.subarray(Math.min(end, start + piece * lane), Math.min(end, start + (piece + 1) * lane))
    }
    const peers = Array.from({ length: worldSize - 1 }, (_, i) => (rank + i + 1) % worldSize)
    const write: Stage<Reducible> = (piece, buffers) => {
      for (let peer = 0; peer < worldSize; peer++) buffers[rank]!.set(pieceOf(peer, piece), peer * lane)
    }
    const combine: Stage<Reducible> = (piece, buffers) => {
      const values = pieceOf(rank, piece)
      const laneOf = (peer: number) => buffers[peer]!.subarray(rank * lane, rank * lane + values.length)
      const sum = laneOf(rank)
      for (const peer of peers) this.#combine(op, sum, laneOf(peer))
      this.#divide(op, sum)
      values.set(sum)
    }
    const read: Stage<Reducible> = (piece, buffers) => {
      for (const peer of peers) {
        const values = pieceOf(peer, piece)
        values.set(buffers[peer]!.subarray(peer * lane, peer * lane + values.length))
      }
    }
    const pieces = Math.ceil(shareOf(array.length, 0, worldSize).end / lane)
    this.#run(array, pieces, isSpread ? [write, combine, read] : [write, combine])
  }

  /** Each rank combines all that there is, in rank order. */
  #reduceShort(array: Reducible, op: ReduceOperation): void {
    const { rank } = this.#place
    const { length } = array
    this.#run(array, Math.min(1, length), [
      (_, buffers) => buffers[rank]!.set(array),
      (_, buffers) => {
        // The own buffer after next: nobody looks into it before the turn after next.
        const sum = this.#buffers(array, this.#turn + 1)[rank]!.subarray(0, length)
        sum.set(buffers[0]!.subarray(0, length))
        for (const buffer of buffers.slice(1)) this.#combine(op, sum, buffer.subarray(0, length))
        this.#divide(op, sum)
        array.set(sum)
      },
    ])
  }

  /** What each rank has to say: as many numbers as any other, and no more than ranks. */
  #exchangeNumbers(numbers: readonly number[]): number[][] {
    let all: number[][] = []
    this.#run(new Float64Array(0), 1, [
      (_, buffers) => buffers[this.#place.rank]!.set(numbers),
      (_, buffers) => {
        all = buffers.map((buffer) => [...buffer.subarray(0, numbers.length)])
      },
    ])
    return all
  }

  /**
   * Takes pieces through the stages, two or three, one piece through each stage in a turn.
   *
   * No barrier follows the last turn: it writes nothing, and what the next operation writes at once is the buffer that
   * the last turn does not look at.
   */
  #run<T extends Reducible>(like: T, pieces: number, stages: readonly Stage<T>[]): void {
    const turns = pieces > 0 ? pieces + stages.length - 1 : 0
    for (let turn = 0; turn < turns; turn++) {
      if (turn > 0) {
        this.#place.barrier()
        this.#turn++
      }
      for (const [late, stage] of stages.entries()) {
        const piece = turn - late
        if (piece >= 0 && piece < pieces) stage(piece, this.#buffers(like, this.#turn - late))
      }
    }
  }

  #combine(op: ReduceOperation, into: Reducible, other: Reducible): void {
    if (this.#sums && into instanceof Float32Array && (op === 'sum' || op === 'mean'))
      this.#sums.add(into.byteOffset, into.byteOffset, other.byteOffset, into.length)
    else combineInto(op, into, into, other)
  }

  #divide(op: ReduceOperation, array: Reducible): void {
    const { worldSize } = this.#place
    if (this.#sums && array instanceof Float32Array) {
      if (op === 'mean') this.#sums.divide(array.byteOffset, array.length, worldSize)
    } else divideMean(op, array, worldSize)
  }

  /** The buffers of all ranks in a turn. */
  #buffers<T extends Reducible>(like: T, turn: number): readonly T[] {
    let views = this.#views.get(like.constructor) as T[][] | undefined
    if (!views) {
      const { worldSize } = this.#place
      views = Array.from({ length: BUFFERS }, (_, number) =>
        Array.from({ length: worldSize }, (_, rank) => this.#place.buffer(rank, number, like)),
      )
      this.#views.set(like.constructor, views)
    }
    return views[turn % BUFFERS]!
  }

  #bufferLength(like: Reducible): number {
    return this.#buffers(like, 0)[0]!.length
  }
}
