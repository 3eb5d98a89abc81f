/** Threads of one process, over shared memory. @module */

import { checkNames, nextTurn, TransportError } from '../core/index.js'
import { Mailbox } from './mailbox.js'
import { SharedCollectives } from './shared-collectives.js'
import {
  abortSharedGroup,
  openSharedGroup,
  type SharedMemoryOptions,
  SharedPlace,
  type SharedTicket,
} from './shared-group.js'
import { SharedRing } from './shared-ring.js'
import type { ThreadTransportFactory, Transport } from './transport.js'
import { checkRank, closed, gone } from './transport-errors.js'

/** Turns of the event loop before a wait starts to sleep between looks. */
const EAGER_TURNS = 100

/**
 * The threads of this process as a group; what `DataParallel` uses unless told otherwise.
 *
 * @example
 * const factory = sharedMemory()
 * const tickets = await factory.open(2) // post one to each thread, which calls factory.join(ticket)
 */
export function sharedMemory(options: SharedMemoryOptions = {}): ThreadTransportFactory<SharedTicket> {
  checkNames('sharedMemory', options, { timeoutMs: true, native: true })
  return {
    name: 'shared-memory',
    kind: 'threads',
    sharesMemory: options.native ?? true,
    open: async (worldSize) => openSharedGroup(worldSize, options),
    join: async (ticket) => new SharedTransport(ticket),
    abort: (ticket) => abortSharedGroup(ticket),
  }
}

/** One thread's end. Messages never block the thread; the native collectives do. */
export class SharedTransport implements Transport {
  readonly rank: number
  readonly worldSize: number
  readonly native?: SharedCollectives
  readonly waits: { spins: number; timeoutMs: number }
  readonly #place: SharedPlace
  readonly #rings: SharedArrayBuffer
  readonly #timeoutMs: number
  readonly #mailbox: Mailbox
  /** The last send to each peer: messages to one peer go one after another. */
  readonly #sends = new Map<number, Promise<void>>()
  readonly #pumps = new Set<number>()
  #isClosed = false

  constructor(ticket: SharedTicket) {
    this.rank = ticket.rank
    this.worldSize = ticket.worldSize
    this.waits = { spins: ticket.spins, timeoutMs: ticket.timeoutMs }
    this.#place = new SharedPlace(ticket)
    if (ticket.native) this.native = new SharedCollectives(this.#place)
    this.#rings = ticket.rings
    this.#timeoutMs = ticket.timeoutMs
    this.#mailbox = new Mailbox(ticket.timeoutMs)
  }

  send(to: number, tag: number, bytes: Uint8Array): Promise<void> {
    const before = this.#sends.get(to) ?? Promise.resolve()
    const write = async () => {
      const ring = this.#ring(this.rank, to)
      const header = new Uint8Array(Uint32Array.of(tag, bytes.length).buffer)
      for (const part of [header, bytes]) {
        const canGoOn = () => {
          if (this.#place.hasLeft(to)) throw gone(to)
        }
        canGoOn()
        await this.#transfer(part, (rest) => ring.write(rest), canGoOn, { rank: to, timeoutMs: this.#timeoutMs })
      }
    }
    const sent = before.then(write)
    this.#sends.set(
      to,
      sent.catch(() => {}),
    )
    return sent
  }

  async receive(from: number, tag: number, into?: Uint8Array): Promise<Uint8Array> {
    const ring = this.#ring(from, this.rank)
    const message = this.#mailbox.receive(from, tag, into)
    if (!this.#pumps.has(from)) {
      this.#pumps.add(from)
      this.#pump(from, ring).catch((error) => this.#mailbox.fail(error, from))
    }
    return message
  }

  abort(_reason: string): void {
    this.#place.abort()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#place.leave()
    this.#mailbox.fail(closed())
  }

  /** Reads a peer's messages for as long as somebody waits for one. */
  async #pump(from: number, ring: SharedRing): Promise<void> {
    try {
      while (this.#mailbox.isAwaited(from)) {
        const header = new Uint32Array(2)
        await this.#read(ring, from, new Uint8Array(header.buffer))
        const bytes = new Uint8Array(header[1]!)
        await this.#read(ring, from, bytes)
        this.#mailbox.deliver(from, header[0]!, bytes)
      }
    } finally {
      // In the same turn as the last look, so that no receiver can come in between and find nobody reading.
      this.#pumps.delete(from)
    }
  }

  #read(ring: SharedRing, from: number, into: Uint8Array): Promise<void> {
    let hadLeft = false
    const canGoOn = () => {
      // What a peer wrote before it left is still there: only a second empty look is the end.
      if (hadLeft) throw gone(from)
      hadLeft = this.#place.hasLeft(from)
    }
    return this.#transfer(into, (rest) => ring.read(rest), canGoOn, { rank: from, timeoutMs: Infinity })
  }

  /** Moves all of `bytes` through a ring, waiting by turns of the event loop. */
  async #transfer(
    bytes: Uint8Array,
    move: (rest: Uint8Array) => number,
    canGoOn: () => void,
    { rank, timeoutMs }: { rank: number; timeoutMs: number },
  ): Promise<void> {
    let done = 0
    let idle = 0
    let movedAt = performance.now()
    for (;;) {
      this.#check()
      const count = move(bytes.subarray(done))
      done += count
      if (done === bytes.length) return
      if (count > 0) {
        idle = 0
        movedAt = performance.now()
      } else {
        canGoOn()
        idle++
        if (performance.now() - movedAt > timeoutMs) {
          // The rest of a message that is half in the ring would be taken for the next one.
          this.#place.abort()
          throw new TransportError(`Rank ${rank} took nothing of a message within ${timeoutMs} ms.`, { rank })
        }
      }
      if (idle < EAGER_TURNS) await nextTurn()
      else await new Promise((resolve) => setTimeout(resolve, 1))
    }
  }

  #check(): void {
    if (this.#isClosed) throw closed()
    this.#place.checkAbort()
  }

  #ring(from: number, to: number): SharedRing {
    this.#check()
    for (const rank of [from, to]) checkRank(rank, this.worldSize)
    return new SharedRing(this.#rings, from * this.worldSize + to)
  }
}
