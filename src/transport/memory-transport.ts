/** A group within one thread, for tests. @module */

import { Mailbox } from './mailbox.js'
import type { Transport, TransportOptions } from './transport.js'
import { checkRank, closed, ended, gone } from './transport-errors.js'

/**
 * Makes the ends of a group whose peers all live in this thread.
 *
 * @example
 * const [first, second] = memoryTransports(2)
 */
export function memoryTransports(worldSize: number, options: TransportOptions = {}): Transport[] {
  const peers: MemoryTransport[] = []
  for (let rank = 0; rank < worldSize; rank++) peers.push(new MemoryTransport(rank, peers, worldSize, options))
  return peers
}

class MemoryTransport implements Transport {
  readonly #peers: readonly MemoryTransport[]
  readonly #mailbox: Mailbox
  #isClosed = false
  #aborted: Error | undefined

  constructor(
    readonly rank: number,
    peers: readonly MemoryTransport[],
    readonly worldSize: number,
    { timeoutMs }: TransportOptions,
  ) {
    this.#peers = peers
    this.#mailbox = new Mailbox(timeoutMs)
  }

  async send(to: number, tag: number, bytes: Uint8Array): Promise<void> {
    const peer = this.#peer(to)
    if (peer.#isClosed) throw gone(to)
    peer.#mailbox.deliver(this.rank, tag, bytes.slice())
  }

  async receive(from: number, tag: number, into?: Uint8Array): Promise<Uint8Array> {
    this.#peer(from)
    return this.#mailbox.receive(from, tag, into)
  }

  abort(reason: string): void {
    const error = ended(reason)
    for (const peer of this.#peers) {
      peer.#aborted ??= error
      peer.#mailbox.fail(error)
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#mailbox.fail(closed())
    for (const peer of this.#peers) if (peer !== this) peer.#mailbox.fail(gone(this.rank), this.rank)
  }

  #peer(rank: number): MemoryTransport {
    if (this.#aborted) throw this.#aborted
    if (this.#isClosed) throw closed()
    checkRank(rank, this.worldSize)
    return this.#peers[rank]!
  }
}
