/** One process's end of a group over MPI. @module */

import { hostname } from 'node:os'
import { TransportError } from '../../core/index.js'
import { Mailbox, placeIn } from '../mailbox.js'
import type { Transport } from '../transport.js'
import { checkRank, closed, ended, gone } from '../transport-errors.js'
import type { MpiRequest } from './calls.js'
import { type Frame, SHORT_BYTES } from './frame.js'
import { MpiCollectives } from './mpi-collectives.js'
import type { FrameReader, MpiProcess } from './mpi-process.js'

/** What has come: a short message, or the announcement of a long one that travels when somebody asks for it. */
type Arrived = { bytes: Uint8Array } | { length: number; sequence: number }

/** How a peer left. */
interface Leave {
  /** Collective operations that it has finished. */
  readonly finished: number
  /** The first of its long messages that it has not got rid of. */
  readonly unsent: number
}

/** Messages go through MPI as they are: no copies but of short ones. Nothing blocks the event loop. */
export class MpiTransport implements Transport, FrameReader {
  readonly rank: number
  readonly worldSize: number
  readonly host = hostname()
  readonly native: MpiCollectives
  readonly #process: MpiProcess
  readonly #number: number
  readonly #timeoutMs: number
  readonly #mailbox: Mailbox<Arrived>
  readonly #left = new Map<number, Leave>()
  /** Numbers of the long messages under way, by peer. */
  readonly #unsent = new Map<number, Set<number>>()
  #failure: TransportError | undefined
  #isClosed = false

  constructor(
    process: MpiProcess,
    { number, communicator, timeoutMs }: { number: number; communicator: number; timeoutMs: number },
  ) {
    this.rank = process.rank
    this.worldSize = process.worldSize
    this.#process = process
    this.#number = number
    this.#timeoutMs = timeoutMs
    this.#mailbox = new Mailbox(timeoutMs)
    this.native = new MpiCollectives(process, {
      communicator,
      check: (operation) => this.#checkOperation(operation),
      timeoutMs,
    })
  }

  async send(to: number, tag: number, bytes: Uint8Array): Promise<void> {
    this.#check(to)
    this.#checkHere(to)
    if (bytes.length <= SHORT_BYTES) {
      const request = this.#post(to, { kind: 'message', tag, length: bytes.length }, bytes)
      return this.#process.turns.request(request, this.#patience(to))
    }
    const sequence = this.#process.nextSequence(to)
    const unsent = this.#unsent.get(to) ?? new Set()
    this.#unsent.set(to, unsent.add(sequence))
    const announced = this.#post(to, { kind: 'long', tag, length: bytes.length, sequence })
    await this.#all([announced, ...this.#process.moveLong('Isend', to, sequence, bytes)], this.#patience(to))
    unsent.delete(sequence)
  }

  async receive(from: number, tag: number, into?: Uint8Array): Promise<Uint8Array> {
    this.#check(from)
    this.#process.look()
    const taken = this.#mailbox.take(from, tag)
    if (this.#left.has(from)) this.#mailbox.fail(gone(from), from)
    const message = await this.#process.turns.during(taken)
    if ('bytes' in message) {
      if (!into) return message.bytes
      const place = placeIn(into, message.bytes.length, from)
      place.set(message.bytes)
      return place
    }
    const { length, sequence } = message
    // The sender waits until it is taken, also where there is no room for it.
    const place = into && into.length >= length ? into.subarray(0, length) : new Uint8Array(length)
    const requests = this.#process.moveLong('Irecv', from, sequence, place)
    try {
      const check = this.#patience()
      await this.#all(requests, () => {
        check()
        if (sequence >= (this.#left.get(from)?.unsent ?? Infinity)) throw gone(from)
      })
    } catch (error) {
      for (const { handle } of requests) this.#process.mpi.call('Cancel', handle)
      throw error
    }
    return into ? placeIn(into, length, from) : place
  }

  abort(reason: string): void {
    if (this.#failure || this.#isClosed) return
    const text = new TextEncoder().encode(reason).subarray(0, SHORT_BYTES)
    this.#tellAll(() => ({ kind: 'abort', length: text.length }), text)
    this.#fail(reason)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.leave()
    this.#isClosed = true
    this.#mailbox.fail(closed())
    this.#process.remove(this.#number)
    if (!this.#failure) this.native.close()
  }

  leave(): void {
    if (this.#isClosed) return
    this.#tellAll((rank) => ({
      kind: 'left',
      tag: this.native.finished,
      sequence: Math.min(2 ** 31 - 1, ...(this.#unsent.get(rank) ?? [])),
    }))
  }

  accept(frame: Frame, bytes: Uint8Array): void {
    const { kind, from, tag, sequence, length } = frame
    switch (kind) {
      case 'message':
        this.#mailbox.deliver(from, tag, { bytes })
        return
      case 'long':
        this.#mailbox.deliver(from, tag, { length, sequence })
        return
      case 'left':
        this.#left.set(from, { finished: tag, unsent: sequence })
        this.#mailbox.fail(gone(from), from)
        return
      case 'abort':
        this.#fail(new TextDecoder().decode(bytes))
        return
      default:
        kind satisfies never
    }
  }

  #post(to: number, frame: Pick<Frame, 'kind'> & Partial<Frame>, bytes?: Uint8Array): MpiRequest {
    return this.#process.post(to, this.#frame(frame), bytes)
  }

  #frame(frame: Pick<Frame, 'kind'> & Partial<Frame>): Omit<Frame, 'from'> {
    return { group: this.#number, tag: 0, sequence: 0, length: 0, ...frame }
  }

  #tellAll(frame: (rank: number) => Pick<Frame, 'kind'> & Partial<Frame>, bytes?: Uint8Array): void {
    for (let rank = 0; rank < this.worldSize; rank++)
      if (rank !== this.rank) this.#process.bidFarewell(rank, this.#frame(frame(rank)), bytes)
  }

  #all(requests: readonly MpiRequest[], check: () => void): Promise<unknown> {
    return Promise.all(requests.map((request) => this.#process.turns.request(request, check)))
  }

  #fail(reason: string): void {
    this.#failure ??= ended(reason)
    this.#mailbox.fail(this.#failure)
  }

  /** Throws when the group is over, the peer has left, or time is up. */
  #patience(peer?: number): () => void {
    const deadline = performance.now() + this.#timeoutMs
    return () => {
      this.#check()
      if (peer !== undefined) this.#checkHere(peer)
      if (performance.now() > deadline)
        throw new TransportError(`A message was not taken within ${this.#timeoutMs} ms.`, { rank: peer })
    }
  }

  #check(peer = 0): void {
    if (this.#failure) throw this.#failure
    if (this.#isClosed) throw closed()
    checkRank(peer, this.worldSize)
  }

  #checkHere(peer: number): void {
    if (this.#left.has(peer)) throw gone(peer)
  }

  /** Throws when a collective operation, by its number, cannot come to its end. */
  #checkOperation(operation: number): void {
    this.#check()
    for (const [rank, { finished }] of this.#left) if (finished <= operation) throw gone(rank)
  }
}
