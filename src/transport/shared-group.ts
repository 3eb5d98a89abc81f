/**
 * The meeting place of worker threads: a barrier, a flag that ends everything, and a slot of memory for each.
 * @module
 */

import { hardwareThreads } from '#threads'
import { TransportError } from '../core/index.js'
import { ringBytes } from './shared-ring.js'
import { DEFAULT_TIMEOUT_MS, type TransportOptions, type TransportTicket } from './transport.js'

const ARRIVED = 0
const GENERATION = 1
const ABORTED = 2
const CONTROL_WORDS = 16
/** Looks at a barrier before a thread sleeps, where each has a core: a fraction of a millisecond, as waking up takes. */
const SPINS = 50_000
/** The same where threads share cores, and the one that is waited for may need this one's. */
const SPINS_SHARED = 500

/** Elements of one slot. Longer arrays go through in pieces. */
const SLOT_LENGTH = 1 << 16

/** What a thread needs to take its place; plain data that can be posted. */
export interface SharedTicket extends TransportTicket {
  readonly control: SharedArrayBuffer
  readonly slots: SharedArrayBuffer
  /** The rings of bytes between each two ranks. */
  readonly rings: SharedArrayBuffer
  readonly timeoutMs: number
  /** How often to look at a barrier before going to sleep. */
  readonly spins: number
  /** Whether collectives go through the slots rather than through messages. */
  readonly native: boolean
}

/** Options of `sharedMemory`. */
export interface SharedMemoryOptions extends TransportOptions {
  /**
   * Whether collectives add up in the shared memory itself, which blocks their thread while it waits for the others.
   * Without it they are made of messages, as over any other transport: slower, and they never block.
   * @default true
   */
  native?: boolean
}

/** Makes the memory of a group and the tickets to it. */
export function openSharedGroup(
  worldSize: number,
  { timeoutMs = DEFAULT_TIMEOUT_MS, native = true }: SharedMemoryOptions = {},
): SharedTicket[] {
  const control = new SharedArrayBuffer(4 * (CONTROL_WORDS + worldSize))
  const rings = new SharedArrayBuffer(ringBytes * worldSize ** 2)
  const slots = new SharedArrayBuffer(8 * SLOT_LENGTH * worldSize)
  const spins = worldSize <= hardwareThreads() ? SPINS : SPINS_SHARED
  const rest = { worldSize, control, slots, rings, timeoutMs, spins, native }
  return Array.from({ length: worldSize }, (_, rank) => ({ rank, ...rest }))
}

/** Ends every operation of the group, under way or later, with an error. */
export function abortSharedGroup({ control }: Pick<SharedTicket, 'control'>): void {
  const words = new Int32Array(control)
  Atomics.store(words, ABORTED, 1)
  // A new generation also wakes who is just about to sleep.
  Atomics.add(words, GENERATION, 1)
  Atomics.notify(words, GENERATION)
}

/** One thread's place in the group. Its waits block the thread: never use it in a page's main thread. */
export class SharedPlace {
  readonly rank: number
  readonly worldSize: number
  readonly slotLength = SLOT_LENGTH
  readonly #control: Int32Array
  readonly #slots: SharedArrayBuffer
  readonly #timeoutMs: number
  readonly #spins: number

  constructor({ rank, worldSize, control, slots, timeoutMs, spins }: SharedTicket) {
    this.#timeoutMs = timeoutMs
    this.#spins = spins
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
    this.checkAbort()
    if (Atomics.add(control, ARRIVED, 1) === this.worldSize - 1) {
      Atomics.store(control, ARRIVED, 0)
      Atomics.add(control, GENERATION, 1)
      Atomics.notify(control, GENERATION)
      return
    }
    for (let spin = 0; spin < this.#spins && Atomics.load(control, GENERATION) === generation; spin++);
    while (Atomics.load(control, GENERATION) === generation) {
      this.checkAbort()
      if (Atomics.wait(control, GENERATION, generation, this.#timeoutMs) === 'timed-out') {
        abortSharedGroup({ control: control.buffer as SharedArrayBuffer })
        throw new TransportError(
          `Other ranks did not come to a barrier of rank ${this.rank} within ${this.#timeoutMs} ms.`,
        )
      }
    }
    this.checkAbort()
  }

  /** Whether a rank has closed its end. */
  hasLeft(rank: number): boolean {
    return Atomics.load(this.#control, CONTROL_WORDS + rank) !== 0
  }

  /** Says that this rank closes its end. */
  leave(): void {
    Atomics.store(this.#control, CONTROL_WORDS + this.rank, 1)
  }

  /** Ends the group. */
  abort(): void {
    abortSharedGroup({ control: this.#control.buffer as SharedArrayBuffer })
  }

  /** @throws {TransportError} if the group was ended. */
  checkAbort(): void {
    if (Atomics.load(this.#control, ABORTED) !== 0)
      throw new TransportError('The group of workers has ended.', { remedy: 'Look at the first error of its workers' })
  }
}
