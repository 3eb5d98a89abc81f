/**
 * The contract of transport: bytes between numbered peers.
 *
 * A transport knows peers and bytes, never tensors.
 * @module
 */

import type { Collectives } from './collectives.js'

/** One peer's end of a group. */
export interface Transport {
  /** This peer's number, from 0. */
  readonly rank: number
  readonly worldSize: number
  /**
   * Sends bytes. Messages with one tag from one peer to another arrive in order. Resolves when `bytes` may be changed.
   *
   * @throws {TransportError} if the peer is gone or the transport closed.
   */
  send(to: number, tag: number, bytes: Uint8Array): Promise<void>
  /** Receives the next message with this tag from this peer, into `into` when it is given and long enough. */
  receive(from: number, tag: number, into?: Uint8Array): Promise<Uint8Array>
  /** Ends this peer's part; pending operations fail. */
  close(): Promise<void>
  /** Collectives that the transport does itself, faster than they can be built from messages. */
  readonly native?: Collectives
}
