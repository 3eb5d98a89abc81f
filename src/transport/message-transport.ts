/** What transports share that are carried by something else: a broker, a channel, memory. @module */

import type { TransportError } from '../core/index.js'
import { Mailbox } from './mailbox.js'
import type { Transport, TransportOptions } from './transport.js'
import { checkRank, closed, ended, gone } from './transport-errors.js'

const HEAD_BYTES = 8
/** Tags that the transport keeps to itself. */
const LEFT = 2 ** 31
const ABORT = 2 ** 31 + 1

/**
 * A transport over anything that carries bytes from one peer to another, whole and in order. Addresses, tags, waiting
 * receivers, goodbyes and the end of all are done here; a subclass carries, and says when a peer is lost.
 *
 * @example
 * class QueueTransport extends MessageTransport {
 *   protected carry = (to: number, bytes: Uint8Array) => queues[to].push(bytes) // calls `arrived` of that peer
 *   protected disconnect = () => queues[this.rank].close()
 * }
 */
export abstract class MessageTransport implements Transport {
  readonly rank: number
  readonly worldSize: number
  readonly #mailbox: Mailbox
  /** The others that have not left. */
  readonly #present: Set<number>
  #failure: TransportError | undefined
  #closing: Promise<void> | undefined

  constructor({ rank, worldSize, timeoutMs }: { rank: number; worldSize: number } & TransportOptions) {
    this.rank = rank
    this.worldSize = worldSize
    this.#mailbox = new Mailbox(timeoutMs)
    this.#present = new Set(Array.from({ length: worldSize }, (_, peer) => peer).filter((peer) => peer !== rank))
  }

  /** Takes bytes to another peer and gives them to its `arrived`. Resolves when they have gone out. */
  protected abstract carry(to: number, bytes: Uint8Array): Promise<void>

  /** Gives back what this end holds. Called once, after its goodbyes. */
  protected abstract disconnect(): Promise<void>

  /** The other peers that are in the group still. */
  protected get present(): number[] {
    return [...this.#present]
  }

  /** Takes in what a peer carried here. The bytes are copied. */
  protected arrived(bytes: Uint8Array): void {
    const head = new DataView(bytes.buffer, bytes.byteOffset, HEAD_BYTES)
    const [from, tag] = [head.getUint32(0), head.getUint32(4)]
    const body = bytes.slice(HEAD_BYTES)
    if (tag === ABORT) this.fail(ended(new TextDecoder().decode(body)))
    else if (tag === LEFT) {
      this.#present.delete(from)
      this.#mailbox.fail(gone(from), from)
    } else this.#mailbox.deliver(from, tag, body)
  }

  /** Ends everything here: a peer is lost, or what carries is gone. The first error stays. */
  protected fail(error: TransportError): void {
    this.#failure ??= error
    this.#mailbox.fail(this.#failure)
  }

  async send(to: number, tag: number, bytes: Uint8Array): Promise<void> {
    this.#check(to)
    if (to === this.rank) this.#mailbox.deliver(to, tag, bytes.slice())
    else if (this.#present.has(to)) await this.#post(to, tag, bytes)
    else throw gone(to)
  }

  async receive(from: number, tag: number, into?: Uint8Array): Promise<Uint8Array> {
    this.#check(from)
    return this.#mailbox.receive(from, tag, into)
  }

  abort(reason: string): void {
    if (this.#failure) return
    for (const peer of this.#present) void this.#post(peer, ABORT, new TextEncoder().encode(reason)).catch(() => {})
    this.fail(ended(reason))
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const peers = this.#failure ? [] : this.present
    const goodbyes = peers.map((peer) => this.#post(peer, LEFT, new Uint8Array(0)))
    this.fail(closed())
    await Promise.allSettled(goodbyes)
    await this.disconnect()
  }

  #post(to: number, tag: number, body: Uint8Array): Promise<void> {
    const bytes = new Uint8Array(HEAD_BYTES + body.length)
    const head = new DataView(bytes.buffer)
    head.setUint32(0, this.rank)
    head.setUint32(4, tag)
    bytes.set(body, HEAD_BYTES)
    return this.carry(to, bytes)
  }

  #check(rank: number): void {
    if (this.#failure) throw this.#failure
    checkRank(rank, this.worldSize)
  }
}
