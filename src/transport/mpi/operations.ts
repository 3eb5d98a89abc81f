/**
 * The order of a group's collective operations over MPI, and its event loop meanwhile.
 *
 * Each operation begins with the arrival of all ranks, looked for at turns of the event loop; then none waits for a
 * late one, and MPI is called where that takes few milliseconds, else on another thread.
 * @module
 */

import { CallQueue, nextTurn, TransportError } from '../../core/index.js'
import type { Reducible } from '../collectives.js'
import type { MpiFunction } from './calls.js'
import type { MpiProcess } from './mpi-process.js'

/**
 * A call that is likely to take longer runs on another thread, which leaves the event loop free. Where all cores are
 * busy that thread may have to wait for one as long as this.
 */
const LONGEST_CALL_MS = 5
/** Shorter arrays tell nothing of the time of long ones. */
const TIMED_BYTES = 1 << 16
/** How many of the latest calls are remembered. */
const TIMED_CALLS = 8
/** How long to look for the others at once, before the event loop turns. */
const SPIN_MS = 0.02
/** Long arrays go in pieces, of which each rank adds up so many bytes: they stay in the caches of its core. */
const PIECE_BYTES_PER_RANK = 2 ** 21
/** MPI counts in 32 bits. */
export const MOST_ELEMENTS = 2 ** 31 - 1

/** What a group lends its operations. */
export interface MpiOperationsOptions {
  /** The group's own. */
  communicator: number
  /** Throws when the operation of this number cannot come to its end. */
  check(operation: number): void
  timeoutMs: number
}

/** Runs operations one after another. */
export class MpiOperations {
  readonly #process: MpiProcess
  readonly #options: MpiOperationsOptions
  readonly #queue = new CallQueue()
  /** Milliseconds per byte of the latest calls. */
  readonly #times: number[] = []
  #failure: { error: unknown } | undefined
  #started = 0
  #finished = 0

  constructor(process: MpiProcess, options: MpiOperationsOptions) {
    this.#process = process
    this.#options = options
  }

  /** Number of operations that have come to their end here. */
  get finished(): number {
    return this.#finished
  }

  /** Says goodbye to the group's communicator, unless something is under way on it. */
  close(): void {
    if (this.#finished === this.#started) this.#process.mpi.free(this.#options.communicator)
  }

  /** Once an operation has not come to its end, the ranks are no longer at the same: all later ones fail as it did. */
  run<T>(operation: () => T | Promise<T>): Promise<T> {
    return this.#queue.run(async () => {
      if (this.#failure) throw this.#failure.error
      try {
        this.#started++
        const late = this.#arrive()
        if (late) await late
        const result = await operation()
        this.#finished++
        return result
      } catch (error) {
        this.#failure = { error }
        throw error
      }
    })
  }

  /** Comes to where all ranks meet. Undefined if they have come already: a promise would take longer than that. */
  #arrive(): Promise<void> | undefined {
    const { communicator, timeoutMs } = this.#options
    const { mpi, turns } = this.#process
    const check = this.#check()
    check()
    const arrival = this.#process.arrive(communicator)
    const start = performance.now()
    while (performance.now() < start + SPIN_MS) if (mpi.isDone(arrival)) return undefined
    return turns.request(arrival, () => {
      check()
      if (performance.now() > start + timeoutMs)
        throw new TransportError(`Not all ranks came to a collective operation within ${timeoutMs} ms.`)
    })
  }

  /** Throws when the operation under way cannot come to its end. */
  #check(): () => void {
    const operation = this.#started - 1
    return () => this.#options.check(operation)
  }

  /**
   * Calls MPI with the communicator as last value.
   *
   * @param arrays - What it reads and writes.
   * @returns Undefined if it is done already.
   */
  call(name: MpiFunction, values: unknown[], arrays: readonly Reducible[]): Promise<void> | undefined {
    const { mpi } = this.#process
    const all = [...values, this.#options.communicator]
    const bytes = arrays.reduce((sum, { byteLength }) => sum + byteLength, 0)
    if (bytes < TIMED_BYTES) {
      mpi.call(name, ...all)
      return undefined
    }
    // The shortest, for what disturbs a call only adds to it.
    const isLong = this.#times.length > 0 && bytes * Math.min(...this.#times) > LONGEST_CALL_MS
    const start = performance.now()
    if (isLong && mpi.mayRunAside)
      return this.#process.turns
        .during(mpi.callAside(name, all, [values, arrays]), { check: this.#check(), isUrgent: false })
        .then(() => this.#note(start, bytes))
    mpi.call(name, ...all)
    this.#note(start, bytes)
    return undefined
  }

  /** Remembers how long a call took. */
  #note(start: number, bytes: number): void {
    if (this.#times.length === TIMED_CALLS) this.#times.shift()
    this.#times.push((performance.now() - start) / bytes)
  }

  /**
   * Carries out an operation on one piece of a long array after the other, each when all ranks have come to it, and the
   * event loop turns in between.
   *
   * @param copies - How many arrays of the length of a piece each rank sends.
   */
  inPieces<T extends Reducible>(
    array: T,
    run: (piece: T, start: number) => Promise<void> | undefined,
    copies = 1,
  ): Promise<void> | undefined {
    const bytes = Math.max(1, Math.floor((PIECE_BYTES_PER_RANK * this.#process.worldSize) / copies))
    const length = Math.min(Math.ceil(bytes / array.BYTES_PER_ELEMENT), Math.floor(MOST_ELEMENTS / copies))
    return array.length <= length ? run(array, 0) : this.#severalPieces(array, length, run)
  }

  async #severalPieces<T extends Reducible>(
    array: T,
    length: number,
    run: (piece: T, start: number) => Promise<void> | undefined,
  ): Promise<void> {
    for (let start = 0; start < array.length; start += length) {
      if (start > 0) {
        await nextTurn()
        await this.#arrive()
      }
      await run(array.subarray(start, start + length) as T, start)
    }
  }
}
