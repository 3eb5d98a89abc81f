/**
 * The meeting place of worker threads: a barrier, a flag that ends everything, and a slot of memory for each.
 * @module
 */

import { hardwareThreads } from '#threads'
import { TransportError } from '../core/index.js'
import { ringBytes } from './shared-ring.js'
import { DEFAULT_TIMEOUT_MS, type TransportOptions, type TransportTicket } from './transport.js'

// Each word on a cache line of its own: who looks at one does not slow down who changes another.
const ARRIVED = 0
const GENERATION = 16
const ABORTED = 32
const SLEEPERS = 48
const CONTROL_WORDS = 64
/** Looks at a barrier before a thread sleeps, where each has a core: a fraction of a millisecond, as waking up takes. */
const SPINS = 50_000
/** The same where threads share cores, and the one that is waited for may need this one's. */
const SPINS_SHARED = 500

/** Bytes of one buffer: those of a few ranks lie in a cache together. Longer arrays go through in pieces. */
const BUFFER_BYTES = 1 << 17
/** A rank writes into one buffer while the others still work on what is in the two before. */
export const BUFFERS = 3
const PAGE_BYTES = 1 << 16

/** What a thread needs to take its place; plain data that can be posted. */
export interface SharedTicket extends TransportTicket {
  readonly control: SharedArrayBuffer
  /** The buffers of each rank; for kernels too, hence of WebAssembly. */
  readonly memory: WebAssembly.Memory
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
  const pages = (BUFFER_BYTES * BUFFERS * worldSize) / PAGE_BYTES
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
  const spins = worldSize <= hardwareThreads() ? SPINS : SPINS_SHARED
  const rest = { worldSize, control, memory, rings, timeoutMs, spins, native }
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
  /** Where the buffers are. */
  readonly memory: WebAssembly.Memory
  readonly #control: Int32Array
  readonly #timeoutMs: number
  readonly #spins: number

  constructor({ rank, worldSize, control, memory, timeoutMs, spins }: SharedTicket) {
    this.#timeoutMs = timeoutMs
    this.#spins = spins
    this.rank = rank
    this.worldSize = worldSize
    this.#control = new Int32Array(control)
    this.memory = memory
  }

  /** A buffer of a rank, as an array of the class of `like`. */
  buffer<T extends Float32Array | Float64Array | Int32Array>(rank: number, number: number, like: T): T {
    const Class = like.constructor as new (buffer: ArrayBufferLike, offset: number, length: number) => T
    const offset = (rank * BUFFERS + number) * BUFFER_BYTES
    return new Class(this.memory.buffer, offset, BUFFER_BYTES / like.BYTES_PER_ELEMENT)
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
      // Whoever counts itself a sleeper after this look finds the new generation, and does not sleep.
      if (Atomics.load(control, SLEEPERS) > 0) Atomics.notify(control, GENERATION)
      return
    }
    for (let spin = 0; spin < this.#spins && Atomics.load(control, GENERATION) === generation; spin++);
    while (Atomics.load(control, GENERATION) === generation) {
      this.checkAbort()
      Atomics.add(control, SLEEPERS, 1)
      const woken = Atomics.wait(control, GENERATION, generation, this.#timeoutMs)
      Atomics.sub(control, SLEEPERS, 1)
      if (woken === 'timed-out') {
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
