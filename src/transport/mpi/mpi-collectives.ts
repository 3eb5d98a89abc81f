/** Collectives that MPI carries out, on the caller's arrays. @module */

import { TransportError, treeSum } from '../../core/index.js'
import { checkParts, checkShards, emptyLike, gatheredInto } from '../collective-arguments.js'
import {
  type Collectives,
  type ReduceOperation,
  type ReduceOptions,
  type Reducible,
  type Shard,
  shareOf,
} from '../collectives.js'
import { divideMean } from '../combine.js'
import type { MpiProcess } from './mpi-process.js'
import { MOST_ELEMENTS, MpiOperations, type MpiOperationsOptions } from './operations.js'

/** What each operation asks of MPI; their order is that of `MpiOperations`. */
export class MpiCollectives implements Collectives {
  readonly #process: MpiProcess
  readonly #operations: MpiOperations

  constructor(process: MpiProcess, options: MpiOperationsOptions) {
    this.#process = process
    this.#operations = new MpiOperations(process, options)
  }

  /** Number of operations that have come to their end here. */
  get finished(): number {
    return this.#operations.finished
  }

  allReduce(array: Reducible, { op = 'sum' }: ReduceOptions = {}): Promise<void> {
    const { inPlace, type } = this.#describe(array)
    const operation = this.#operationOf(op)
    return this.#operations.run(async () => {
      const late = this.#operations.inPieces(array, (piece) =>
        this.#operations.call('Allreduce', [inPlace, piece, piece.length, type, operation], [piece]),
      )
      if (late) await late
      divideMean(op, array, this.#process.worldSize)
    })
  }

  async allReduceShards(shards: readonly Shard[], total: number, into: Float32Array): Promise<void> {
    checkShards(shards, total, this.#process)
    return this.#operations.run(() => {
      const add = (piece: Float32Array, start: number) => {
        const parts = shards.map(({ values }) => values.subarray(start, start + piece.length))
        return this.#addShards(parts, total, piece)
      }
      return this.#operations.inPieces(into, add, Math.ceil(total / this.#process.worldSize))
    })
  }

  async reduceScatter<T extends Reducible>(array: T, { op = 'sum' }: ReduceOptions = {}): Promise<T> {
    const { rank, worldSize } = this.#process
    const { start, end } = shareOf(array.length, rank, worldSize)
    const longest = array.subarray(0, Math.ceil(array.length / worldSize)) as T
    let sent: T | undefined
    return this.#operations.run(async () => {
      const late = this.#operations.inPieces(
        longest,
        ({ length }, from) => {
          if (length === longest.length) return this.#reduceShares(array, op)
          sent ??= emptyLike(array, length * worldSize)
          const parts = Array.from({ length: worldSize }, (_, peer) => {
            const share = shareOf(array.length, peer, worldSize)
            return array.subarray(share.start + from, Math.min(share.start + from + length, share.end)) as T
          })
          return this.#reduceParts(parts, op, sent)
        },
        worldSize,
      )
      if (late) await late
      return array.subarray(start, end) as T
    })
  }

  allGather<T extends Reducible>(array: T, { into }: { into?: T } = {}): Promise<T> {
    return this.#operations.run(async () => {
      const lengths = await this.#swap(new Float64Array(this.#process.worldSize).fill(array.length))
      const total = sumOf(lengths)
      checkCount('allGather', total)
      const counts = Int32Array.from(lengths)
      const places = placesOf(counts)
      // The others wait for this rank's part, whether the result has a place here or not.
      const hasPlace = into === undefined || into.length === total
      const result = gatheredInto(array, total, hasPlace ? into : undefined)
      result.set(array, places[this.#process.rank])
      const late = this.#operations.inPieces(
        result.subarray(0, Math.max(...counts)) as T,
        ({ length }, from) =>
          this.#gather(
            result,
            counts.map((count) => Math.max(0, Math.min(length, count - from))),
            places.map((place) => place + from),
          ),
        this.#process.worldSize,
      )
      if (late) await late
      return hasPlace ? result : gatheredInto(array, total, into)
    })
  }

  broadcast(array: Reducible, root: number): Promise<void> {
    return this.#operations.run(() =>
      this.#operations.inPieces(array, (piece) =>
        this.#operations.call('Bcast', [piece, piece.length, this.#describe(piece).type, root], [piece]),
      ),
    )
  }

  async allToAll<T extends Reducible>(parts: readonly T[]): Promise<T[]> {
    const { rank, worldSize } = this.#process
    checkParts(parts, worldSize)
    return this.#operations.run(async () => {
      const lengths = Float64Array.from(parts, ({ length }) => length)
      const coming = await this.#swap(lengths.slice())
      checkCount('allToAll', await this.#most(Math.max(sumOf(lengths), sumOf(coming))))
      const [sizes, counts] = [Int32Array.from(lengths), Int32Array.from(coming)]
      const sent = emptyLike(parts[rank]!, sumOf(lengths))
      const places = placesOf(sizes)
      for (const [peer, part] of parts.entries()) sent.set(part, places[peer])
      const received = emptyLike(parts[rank]!, sumOf(coming))
      await this.#exchange({ sent, sizes, received, counts })
      return Array.from(placesOf(counts), (place, peer) => received.subarray(place, place + counts[peer]!) as T)
    })
  }

  barrier(): Promise<void> {
    return this.#operations.run(async () => {})
  }

  /** Says goodbye to the group. */
  close(): void {
    this.#operations.close()
  }

  /** Combines whole arrays, where they lie, and puts this rank's share in its place. */
  async #reduceShares(array: Reducible, op: ReduceOperation): Promise<void> {
    const { rank, worldSize } = this.#process
    const { start, end } = shareOf(array.length, rank, worldSize)
    const { type, inPlace } = this.#describe(array)
    const counts = this.#perRank((peer) => lengthOf(shareOf(array.length, peer, worldSize)))
    await this.#operations.call('Reduce_scatter', [inPlace, array, counts, type, this.#operationOf(op)], [array])
    // MPI leaves it at the beginning.
    array.copyWithin(start, 0, end - start)
    divideMean(op, array.subarray(start, end), worldSize)
  }

  /** Combines a part of each rank's share, by way of `sent`, and leaves this rank its own. */
  async #reduceParts<T extends Reducible>(parts: readonly T[], op: ReduceOperation, sent: T): Promise<void> {
    const { rank, worldSize } = this.#process
    const own = parts[rank]!
    const counts = this.#perRank((peer) => parts[peer]!.length)
    for (const [peer, place] of placesOf(counts).entries()) sent.set(parts[peer]!, place)
    const { type } = this.#describe(own)
    await this.#operations.call('Reduce_scatter', [sent, own, counts, type, this.#operationOf(op)], [sent])
    divideMean(op, own, worldSize)
  }

  /** Adds up the parts of all ranks' shards, in the order of shards. */
  async #addShards(shards: readonly Float32Array[], total: number, into: Float32Array): Promise<void> {
    const { rank, worldSize } = this.#process
    const rangeOf = (peer: number) => shareOf(into.length, peer, worldSize)
    const own = rangeOf(rank)
    const length = lengthOf(own)
    // To each rank its share of the elements, of every shard that this one holds; they arrive in the order of shards.
    const sent = new Float32Array(shards.length * into.length)
    let place = 0
    for (let peer = 0; peer < worldSize; peer++) {
      const { start, end } = rangeOf(peer)
      for (const values of shards) {
        sent.set(values.subarray(start, end), place)
        place += end - start
      }
    }
    const sizes = this.#perRank((peer) => shards.length * lengthOf(rangeOf(peer)))
    const parts = new Float32Array(total * length)
    const counts = this.#perRank((peer) => lengthOf(shareOf(total, peer, worldSize)) * length)
    await this.#exchange({ sent, sizes, received: parts, counts })
    const sum = treeSum(Array.from({ length: total }, (_, i) => parts.subarray(i * length, (i + 1) * length)))
    into.set(sum, own.start)
    await this.#gather(
      into,
      this.#perRank((peer) => lengthOf(rangeOf(peer))),
    )
  }

  /** Spreads each rank's range of `array` to all; by default the ranges follow one another. */
  #gather(array: Reducible, counts: Int32Array, places = placesOf(counts)): Promise<void> | undefined {
    const { inPlace, type } = this.#describe(array)
    const all = array.subarray(
      0,
      counts.reduce((sum, count) => sum + count, 0),
    )
    return this.#operations.call('Allgatherv', [inPlace, 0, type, array, counts, places, type], [all])
  }

  /** Sends each rank its number, and puts those of all ranks for this one in their place. */
  async #swap(numbers: Float64Array): Promise<Float64Array> {
    const { inPlace, type } = this.#describe(numbers)
    await this.#operations.call('Alltoall', [inPlace, 1, type, numbers, 1, type], [numbers])
    return numbers
  }

  /** The largest of all ranks' numbers. */
  async #most(number: number): Promise<number> {
    const most = Float64Array.of(number)
    const { inPlace, type } = this.#describe(most)
    await this.#operations.call('Allreduce', [inPlace, most, 1, type, this.#operationOf('max')], [most])
    return most[0]!
  }

  /** Sends each rank its range of `sent`, and puts those of all ranks for this one after one another. */
  async #exchange<T extends Reducible>({
    sent,
    sizes,
    received,
    counts,
  }: {
    sent: T
    sizes: Int32Array
    received: T
    counts: Int32Array
  }): Promise<void> {
    const { type } = this.#describe(sent)
    const values = [sent, sizes, placesOf(sizes), type, received, counts, placesOf(counts), type]
    await this.#operations.call('Alltoallv', values, [sent, received])
  }

  #perRank(count: (rank: number) => number): Int32Array {
    return Int32Array.from({ length: this.#process.worldSize }, (_, rank) => count(rank))
  }

  #operationOf(op: ReduceOperation): number {
    const { sum, max, min } = this.#process.mpi.handles
    return { sum, mean: sum, max, min }[op]
  }

  #describe(array: Reducible): { inPlace: bigint; type: number } {
    const { library, handles } = this.#process.mpi
    const { float32, float64, int32 } = handles
    const type = array instanceof Float32Array ? float32 : array instanceof Float64Array ? float64 : int32
    return { inPlace: library.abi.inPlace, type }
  }
}

/** Where each rank's range begins, when the ranges follow one another. */
function placesOf(counts: Int32Array): Int32Array {
  let place = 0
  return counts.map((count) => {
    place += count
    return place - count
  })
}

/** @throws {TransportError} if MPI cannot count the elements of an operation that does not go in pieces. */
function checkCount(operation: string, count: number): void {
  if (count > MOST_ELEMENTS)
    throw new TransportError(`The arrays of ${operation} are too long for MPI.`, {
      expected: `at most ${MOST_ELEMENTS} elements of all ranks together`,
      received: count,
      remedy: 'Do it in parts; allReduce, reduceScatter and broadcast take any length',
    })
}

const sumOf = (counts: Float64Array) => counts.reduce((sum, count) => sum + count, 0)

const lengthOf = ({ start, end }: { start: number; end: number }) => end - start
