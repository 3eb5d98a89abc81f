/**
 * The contract of transport: bytes between numbered peers.
 *
 * A transport knows peers and bytes, never tensors.
 * @module
 */

import type { ProcessPlace } from '../core/index.js'
import type { Collectives } from './collectives.js'

/**
 * One peer's end of a group.
 *
 * A peer may leave, by `close`: then operations with it fail. A peer may be lost (killed, stopped, cut off): then every
 * operation of every survivor, under way or later, fails within 5 seconds. Either error is a `TransportError` whose
 * `rank` names the peer. No operation waits longer than the `timeoutMs` of the group.
 */
export interface Transport {
  /** This peer's number, from 0. */
  readonly rank: number
  readonly worldSize: number
  /** Name of this peer's machine, where peers may be on several. All peers of a group have one, or none has. */
  readonly host?: string
  /**
   * Sends bytes. Messages with one tag from one peer to another arrive in order. Resolves when `bytes` may be changed,
   * which is when the receiver has taken them or has room for them: send and receive at the same time, never one after
   * the other, where both peers send.
   *
   * @param tag - Whole number, 0 to 2^31 - 1. Those from 2^30 are taken by sub-groups, the last by collectives.
   * @throws {TransportError} if a peer is gone or late, or the transport closed.
   */
  send(to: number, tag: number, bytes: Uint8Array): Promise<void>
  /**
   * Receives the next message with this tag from this peer.
   *
   * @param into - Receives the bytes; must be long enough.
   * @returns The message: a view of `into` where that is given, else bytes of its own.
   * @throws {TransportError} if a peer is gone or late, the transport closed, or the message longer than `into`.
   */
  receive(from: number, tag: number, into?: Uint8Array): Promise<Uint8Array>
  /** Ends the whole group: every operation of every peer, under way or later, fails. */
  abort(reason: string): void
  /** Ends this peer's part; its pending operations fail. What it sent before can still be received. */
  close(): Promise<void>
  /** How peers that see the same memory wait for each other there: how often they look before they sleep, how long. */
  readonly waits?: { readonly spins: number; readonly timeoutMs: number }
  /** Collectives that the transport does itself, faster than they can be built from messages. */
  readonly native?: Collectives
}

/** What one peer needs to join a group: plain data that can be posted to a thread. */
export interface TransportTicket {
  readonly rank: number
  readonly worldSize: number
}

/** How groups come about: of threads that a coordinator starts, or of processes that are there already. */
export type TransportFactory = ThreadTransportFactory | ProcessTransportFactory

/**
 * How groups of threads come about; what `sharedMemory()` returns. A coordinator opens the group, hands one ticket to
 * each thread, and each joins with its own.
 */
export interface ThreadTransportFactory<Ticket extends TransportTicket = TransportTicket> {
  readonly name: string
  readonly kind: 'threads'
  /**
   * Address of a module that exports `join(ticket)`. A factory cannot be posted to a thread, so each thread loads this
   * module to join its group. Needed by every transport but dcml's own.
   */
  readonly module?: string | URL
  /**
   * Whether the peers see the same memory and may wait for each other in it: then kernels can work on one memory too.
   * @default false
   */
  readonly sharesMemory?: boolean
  /** Makes a group; one ticket per rank, in order. */
  open(worldSize: number): Promise<Ticket[]>
  /** Takes a place in the group. */
  join(ticket: Ticket): Promise<Transport>
  /** Ends a group from outside, for a coordinator that is no peer. */
  abort(ticket: Ticket, reason: string): void
}

/** How groups of processes come about; what `tcp()` and `mpi()` return. Each process joins by itself. */
export interface ProcessTransportFactory {
  readonly name: string
  readonly kind: 'processes'
  /**
   * Takes this process's place in the group; resolves when all have come.
   *
   * @param place - Where this process stands. What it does not say is read from the environment, as by
   * `processPlace()`. An elastic training joins again and again, each time with the next generation.
   * @param options - `signal`: gives up when it is aborted before all have come.
   * @throws {TransportError} if a peer does not come in time; its `rank` names one.
   * @throws {ConfigError} if the place is unknown, or contradicts that of another process.
   */
  join(place?: Partial<ProcessPlace>, options?: { signal?: AbortSignal }): Promise<Transport>
  /**
   * Where this process stands, if groups of it can form again and again at one rendezvous: an elastic training needs it.
   *
   * @throws {ConfigError} if the place is unknown.
   */
  place?(): ProcessPlace
}

/** Options that every transport takes. */
export interface TransportOptions {
  /**
   * How long one operation may wait for a peer that is there, in milliseconds.
   * @default 1,800,000 (half an hour)
   */
  timeoutMs?: number
}

/** The `timeoutMs` of a group that was given none. Long, for a peer may save or evaluate before it comes. */
export const DEFAULT_TIMEOUT_MS = 1_800_000
