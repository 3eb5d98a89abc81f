/**
 * Processes over TCP.
 *
 * Owns: the peers, the watch over their lives, the end of all when one is lost.
 * Leaves: sockets to connection, coming together to join, waiting receivers to the mailbox.
 * @module
 */

import { hostname } from 'node:os'
import type { TransportError } from '../../core/index.js'
import { Mailbox } from '../mailbox.js'
import type { Transport } from '../transport.js'
import { checkRank, closed, ended } from '../transport-errors.js'
import type { Arrival } from './arrival.js'
import { control } from './frames.js'
import { Heart, type HeartOptions } from './heart.js'
import { encodeAbort, Peer } from './peer.js'
import type { TcpSettings } from './tcp-options.js'

/** Signs of life in the time of silence that loses a peer. */
const BEATS_PER_SILENCE = 4

/** What happens while the group comes together. */
export interface GatheringEvents {
  failed(error: TransportError): void
  table(body: Uint8Array): void
  mayComeAgain(rank: number): boolean
}

/** One process's end. */
export class TcpTransport implements Transport {
  readonly rank: number
  readonly worldSize: number
  readonly host = hostname()
  /** All other ranks; none at the place of this one. */
  readonly peers: readonly (Peer | undefined)[]
  readonly #mailbox: Mailbox<Arrival>
  /** What this rank sends to itself. */
  readonly #own: Mailbox
  readonly #watch: ReturnType<typeof setInterval> | undefined
  readonly #everyMs: number
  #heart: Heart | undefined
  readonly #gathering: GatheringEvents
  #failure: TransportError | undefined

  constructor(settings: TcpSettings, gathering: GatheringEvents) {
    const { rank, worldSize, timeoutMs, silenceMs, maxMessageBytes } = settings
    this.rank = rank
    this.worldSize = worldSize
    this.#mailbox = new Mailbox(timeoutMs)
    this.#own = new Mailbox(timeoutMs)
    this.#gathering = gathering
    const events = {
      lost: (error: TransportError) => this.end(error),
      table: (body: Uint8Array) => gathering.table(body),
      mayComeAgain: (peer: number) => gathering.mayComeAgain(peer),
    }
    this.peers = Array.from({ length: worldSize }, (_, peer) =>
      peer === rank ? undefined : new Peer(peer, this.#mailbox, { events, maxBytes: maxMessageBytes, timeoutMs }),
    )
    this.#everyMs = silenceMs / BEATS_PER_SILENCE
    if (silenceMs < Infinity) this.#watch = this.#startWatch(silenceMs)
  }

  async send(to: number, tag: number, bytes: Uint8Array): Promise<void> {
    this.#check(to)
    const peer = this.peers[to]
    if (peer) return peer.send(tag, bytes)
    this.#own.deliver(this.rank, tag, bytes.slice())
  }

  async receive(from: number, tag: number, into?: Uint8Array): Promise<Uint8Array> {
    this.#check(from)
    return this.peers[from]?.receive(tag, into) ?? this.#own.receive(from, tag, into)
  }

  abort(reason: string): void {
    this.end(ended(reason))
  }

  async close(): Promise<void> {
    this.#failure ??= closed()
    await this.#leave(this.#failure)
  }

  /** Gives signs of life from now on, also while this thread computes. */
  startHeart(options: Omit<HeartOptions, 'rank' | 'everyMs'>): void {
    if (this.#watch) this.#heart = new Heart({ ...options, rank: this.rank, everyMs: this.#everyMs })
  }

  /** Ends the group, and tells the others why: whoever is lost is lost to all, by one name. */
  end(error: TransportError): void {
    if (this.#failure) return
    this.#failure = error
    for (const peer of this.peers) peer?.tell(control.abort, encodeAbort(error))
    void this.#leave(error)
    this.#gathering.failed(error)
  }

  async #leave(error: TransportError): Promise<void> {
    clearInterval(this.#watch)
    this.#mailbox.fail(error)
    this.#own.fail(error)
    await Promise.all(this.peers.map((peer) => peer?.leave(error)))
    // Until then it lives, for a peer that still takes what was sent.
    await this.#heart?.stop()
  }

  #startWatch(silenceMs: number): ReturnType<typeof setInterval> {
    const everyMs = this.#everyMs
    let last = performance.now()
    const watch = setInterval(() => {
      const now = performance.now()
      const hasSlept = now - last > 2 * everyMs
      last = now
      // When this thread was busy or the process stopped, what came meanwhile has not been read yet.
      if (hasSlept) for (const peer of this.peers) peer?.pardon(now)
      for (const peer of this.peers) {
        if (!peer) continue
        const beatsMs = this.#heart?.silenceMs(peer.rank) ?? Infinity
        const hasBeaten = this.#heart?.hasHeard(peer.rank) ?? false
        peer.checkLife(now - silenceMs, { silenceMs, beatsMs, hasBeaten })
        peer.beat(now - everyMs / 2)
      }
    }, everyMs)
    return watch.unref()
  }

  #check(rank: number): void {
    if (this.#failure) throw this.#failure
    checkRank(rank, this.worldSize)
  }
}
