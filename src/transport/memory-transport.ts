/** A group within one thread, for tests. @module */

import { MessageTransport } from './message-transport.js'
import type { Transport, TransportOptions } from './transport.js'

/**
 * Makes the ends of a group whose peers all live in this thread.
 *
 * @example
 * const [first, second] = memoryTransports(2)
 */
export function memoryTransports(worldSize: number, options: TransportOptions = {}): Transport[] {
  const peers: MemoryTransport[] = []
  for (let rank = 0; rank < worldSize; rank++) peers.push(new MemoryTransport({ ...options, rank, worldSize }, peers))
  return peers
}

class MemoryTransport extends MessageTransport {
  readonly #peers: readonly MemoryTransport[]

  constructor(
    place: ConstructorParameters<typeof MessageTransport>[0],
    /** All of the group, once it is whole. */
    peers: readonly MemoryTransport[],
  ) {
    super(place)
    this.#peers = peers
  }

  protected async carry(to: number, bytes: Uint8Array): Promise<void> {
    this.#peers[to]!.arrived(bytes)
  }

  protected async disconnect(): Promise<void> {}
}
