/**
 * The meeting place of worker threads: a barrier, a flag that ends everything, and a slot of memory for each.
 * @module
 */

import { TransportError } from '../core/index.js'

const ARRIVED = 0
const GENERATION = 1
const ABORTED = 2
const CONTROL_WORDS = 16
const SPINS = 2000
const WAIT_MS = 1000

/** Elements of one slot. Longer arrays go through in pieces. */
const SLOT_LENGTH = 1 << 16

/** What a thread needs to take its place; plain data that can be posted. */
export interface SharedTicket {
  rank: number
  worldSize: number
  control: SharedArrayBuffer
  slots: SharedArrayBuffer
}

/** Makes the memory of a group and the tickets to it. */
export function openSharedGroup(worldSize: number): SharedTicket[] {
  const control = new SharedArrayBuffer(4 * CONTROL_WORDS)
  const slots = new SharedArrayBuffer(8 * SLOT_LENGTH * worldSize)
  return Array.from({ length: worldSize }, (_, rank) => ({ rank, worldSize, control, slots }))
}

/** Ends every operation of the group, under way or later, with an error. */
export function abortSharedGroup({ control }: SharedTicket): void {
  const words = new Int32Array(control)
  Atomics.store(words, ABORTED, 1)
  Atomics.notify(words, GENERATION)
}

/** One thread's place in the group. Its waits block the thread: never use it in a page's main thread. */
export class SharedPlace {
  readonly rank: number
  readonly worldSize: number
  readonly slotLength = SLOT_LENGTH
  readonly #control: Int32Array
  readonly #slots: SharedArrayBuffer

  constructor({ rank, worldSize, control, slots }: SharedTicket) {
    this.rank = rank
    this.worldSize = worldSize
    this.#control = new Int32Array(control)
    this.#slots = slots
  }

  /** The slot of a rank, `slotLength` elements of 8 bytes, as an array of the class of `like`. */
  slot<T extends Float32Array | Float64Array | Int32Array>(rank: number, like: T): T {
    const Class = like.constructor as new (buffer: SharedArrayBuffer, offset: number, length: number) => T
    return new Class(this.#slots, rank * SLOT_LENGTH * 8, SLOT_LENGTH)
  }

  /**
   * Waits for all ranks: a short spin, then sleep.
   *
   * @throws {TransportError} if the group was ended.
   */
  barrier(): void {
    const control = this.#control
    const generation = Atomics.load(control, GENERATION)
    this.#checkAbort()
    if (Atomics.add(control, ARRIVED, 1) === this.worldSize - 1) {
      Atomics.store(control, ARRIVED, 0)
      Atomics.add(control, GENERATION, 1)
      Atomics.notify(control, GENERATION)
      return
    }
    for (let spin = 0; spin < SPINS; spin++) if (Atomics.load(control, GENERATION) !== generation) return
    while (Atomics.load(control, GENERATION) === generation) {
      this.#checkAbort()
      // An abort between the check and the wait is seen after the wait's limit at the latest.
      Atomics.wait(control, GENERATION, generation, WAIT_MS)
    }
  }

  #checkAbort(): void {
    if (Atomics.load(this.#control, ABORTED) !== 0)
      throw new TransportError('The group of workers has ended.', { remedy: 'Look at the first error of its workers' })
  }
}
