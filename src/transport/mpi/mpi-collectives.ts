/** Collectives that MPI carries out, on the caller's arrays. @module */

import { CallQueue, TransportError, treeSum } from '../../core/index.js'
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
import type { MpiFunction } from './calls.js'
import type { MpiProcess } from './mpi-process.js'

/** A call that is likely to take longer runs on another thread, which costs some 50 us, and leaves the event loop free. */
const LONGEST_CALL_MS = 1
/** Until a call has been timed: a fast memory. */
const FIRST_MS_PER_BYTE = 1e-7
/** Shorter arrays tell nothing of the time of long ones. */
const TIMED_BYTES = 1 << 16
/** How long to look for the others at once, before the event loop turns. */
const SPIN_MS = 0.02
/** MPI counts in 32 bits. */
const PIECE_BYTES = 2 ** 30

/** What a group lends its collectives. */
export interface MpiCollectivesOptions {
  /** The group's own. */
  communicator: number
  /** Throws when the operation of this number cannot come to its end. */
  check(operation: number): void
  timeoutMs: number
}

/**
 * Each operation begins with the arrival of all ranks, looked for at turns of the event loop; then none waits for a
 * late one, and MPI is called where that takes microseconds, else on another thread.
 */
export class MpiCollectives implements Collectives {
  readonly #process: MpiProcess
  readonly #options: MpiCollectivesOptions
  readonly #queue = new CallQueue()
  #msPerByte = FIRST_MS_PER_BYTE
  #failure: { error: unknown } | undefined
  #started = 0
  #finished = 0

  constructor(process: MpiProcess, options: MpiCollectivesOptions) {
    this.#process = process
    this.#options = options
  }

  /** Number of operations that have come to their end here. */
  get finished(): number {
    return this.#finished
  }

  allReduce(array: Reducible, { op = 'sum' }: ReduceOptions = {}): Promise<void> {
    return this.#operation(async () => {
      await this.#reduce(array, op)
      divideMean(op, array, this.#process.worldSize)
    })
  }

  async allReduceShards(shards: readonly Shard[], total: number, into: Float32Array): Promise<void> {
    const { rank, worldSize } = this.#process
    checkShards(shards, total, this.#process)
    const own = shareOf(into.length, rank, worldSize)
    const length = lengthOf(own)
    return this.#operation(async () => {
      // To each rank its share of the elements, of every shard that this one holds; they arrive in the order of shards.
      const sizes = this.#perRank((peer) => shards.length * lengthOf(shareOf(into.length, peer, worldSize)))
      const sent = new Float32Array(shards.length * into.length)
      let place = 0
      for (let peer = 0; peer < worldSize; peer++) {
        const { start, end } = shareOf(into.length, peer, worldSize)
        for (const { values } of shards) {
          sent.set(values.subarray(start, end), place)
          place += end - start
        }
      }
      const parts = new Float32Array(total * length)
      const counts = this.#perRank((peer) => lengthOf(shareOf(total, peer, worldSize)) * length)
      await this.#exchange({ sent, sizes, received: parts, counts })
      const sum = treeSum(Array.from({ length: total }, (_, i) => parts.subarray(i * length, (i + 1) * length)))
      into.set(sum, own.start)
      await this.#gather(
        into,
        this.#perRank((peer) => lengthOf(shareOf(into.length, peer, worldSize))),
      )
    })
  }

  reduceScatter<T extends Reducible>(array: T, { op = 'sum' }: ReduceOptions = {}): Promise<T> {
    const { rank, worldSize } = this.#process
    const { start, end } = shareOf(array.length, rank, worldSize)
    return this.#operation(async () => {
      const counts = this.#perRank((peer) => lengthOf(shareOf(array.length, peer, worldSize)))
      const { type, inPlace } = this.#describe(array)
      await this.#call('Reduce_scatter', [inPlace, array, counts, type, this.#operationOf(op)], [array])
      // MPI leaves the share at the beginning.
      array.copyWithin(start, 0, end - start)
      const share = array.subarray(start, end) as T
      divideMean(op, share, worldSize)
      return share
    })
  }

  allGather<T extends Reducible>(array: T, { into }: { into?: T } = {}): Promise<T> {
    return this.#operation(async () => {
      const counts = await this.#swap(this.#perRank(() => array.length))
      const total = sumOf(counts)
      // The others wait for this rank's part, whether the result has a place here or not.
      const hasPlace = into === undefined || into.length === total
      const result = gatheredInto(array, total, hasPlace ? into : undefined)
      result.set(array, placesOf(counts)[this.#process.rank])
      await this.#gather(result, counts)
      return hasPlace ? result : gatheredInto(array, total, into)
    })
  }

  broadcast(array: Reducible, root: number): Promise<void> {
    return this.#operation(async () => {
      for (const piece of pieces(array))
        await this.#call('Bcast', [piece, piece.length, this.#describe(piece).type, root], [piece])
    })
  }

  async allToAll<T extends Reducible>(parts: readonly T[]): Promise<T[]> {
    const { rank, worldSize } = this.#process
    checkParts(parts, worldSize)
    return this.#operation(async () => {
      const sizes = Int32Array.from(parts, ({ length }) => length)
      const sent = emptyLike(parts[rank]!, sumOf(sizes))
      const places = placesOf(sizes)
      for (const [peer, part] of parts.entries()) sent.set(part, places[peer])
      const counts = await this.#swap(sizes.slice())
      const received = emptyLike(parts[rank]!, sumOf(counts))
      await this.#exchange({ sent, sizes, received, counts })
      return Array.from(placesOf(counts), (place, peer) => received.subarray(place, place + counts[peer]!) as T)
    })
  }

  barrier(): Promise<void> {
    return this.#operation(async () => {})
  }

  /** Says goodbye to the group's communicator, unless something is under way on it. */
  close(): void {
    if (this.#finished === this.#started) this.#process.mpi.free(this.#options.communicator)
  }

  /** Once an operation has not come to its end, the ranks are no longer at the same: all later ones fail as it did. */
  #operation<T>(run: () => Promise<T>): Promise<T> {
    return this.#queue.run(async () => {
      if (this.#failure) throw this.#failure.error
      try {
        await this.#arrive(this.#started++)
        const result = await run()
        this.#finished++
        return result
      } catch (error) {
        this.#failure = { error }
        throw error
      }
    })
  }

  /** Returns when all ranks have come to the operation of this number. */
  async #arrive(operation: number): Promise<void> {
    const { check, communicator, timeoutMs } = this.#options
    const { mpi, turns } = this.#process
    check(operation)
    const arrival = this.#process.arrive(communicator)
    const start = performance.now()
    while (performance.now() < start + SPIN_MS) if (mpi.isDone(arrival)) return
    await turns.request(arrival, () => {
      check(operation)
      if (performance.now() > start + timeoutMs)
        throw new TransportError(`Not all ranks came to a collective operation within ${timeoutMs} ms.`)
    })
  }

  /** Calls MPI with the communicator as last value. `arrays`: what it reads and writes. */
  async #call(name: MpiFunction, values: unknown[], arrays: readonly Reducible[]): Promise<void> {
    const { mpi, turns } = this.#process
    const all = [...values, this.#options.communicator]
    const bytes = arrays.reduce((sum, { byteLength }) => sum + byteLength, 0)
    const start = performance.now()
    if (mpi.mayRunAside && bytes * this.#msPerByte > LONGEST_CALL_MS) {
      const operation = this.#started - 1
      const check = () => this.#options.check(operation)
      await turns.during(mpi.callAside(name, all, [values, arrays]), { check, isUrgent: false })
    } else mpi.call(name, ...all)
    if (bytes >= TIMED_BYTES) this.#msPerByte = (performance.now() - start) / bytes
  }

  async #reduce(array: Reducible, op: ReduceOperation): Promise<void> {
    const { inPlace, type } = this.#describe(array)
    for (const piece of pieces(array))
      await this.#call('Allreduce', [inPlace, piece, piece.length, type, this.#operationOf(op)], [piece])
  }

  /** Spreads each rank's range of `array` to all; the ranges follow one another. */
  async #gather(array: Reducible, counts: Int32Array): Promise<void> {
    const { inPlace, type } = this.#describe(array)
    await this.#call('Allgatherv', [inPlace, 0, type, array, counts, placesOf(counts), type], [array])
  }

  /** Sends each rank its number, and puts those of all ranks for this one in their place. */
  async #swap(numbers: Int32Array): Promise<Int32Array> {
    const { inPlace, type } = this.#describe(numbers)
    await this.#call('Alltoall', [inPlace, 1, type, numbers, 1, type], [numbers])
    return numbers
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
    await this.#call('Alltoallv', values, [sent, received])
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

function pieces(array: Reducible): Reducible[] {
  const length = PIECE_BYTES / array.BYTES_PER_ELEMENT
  return Array.from({ length: Math.ceil(array.length / length) }, (_, i) =>
    array.subarray(i * length, (i + 1) * length),
  )
}

const sumOf = (counts: Int32Array) => counts.reduce((sum, count) => sum + count, 0)

const lengthOf = ({ start, end }: { start: number; end: number }) => end - start
