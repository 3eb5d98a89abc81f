/** One peer of a group over TCP: two sockets, one to hear and one to speak. @module */

import { TransportError } from '../../core/index.js'
import type { Mailbox } from '../mailbox.js'
import { gone } from '../transport-errors.js'
import { Arrival } from './arrival.js'
import type { Connection } from './connection.js'
import { control, type FrameBody, type FrameTaker } from './frames.js'

/** Bytes that may lie here without a receiver before the peer is held back. */
const QUEUED_BYTES = 1 << 22

/** How long a close waits for a peer to take what was sent before, and where some of it fails by the close itself. */
const LINGER_MS = 5000
const UNSENT_LINGER_MS = 1000

/** How long the goodbye of a peer may be on its way when one of its sockets is closed already. */
const GOODBYE_MS = 1000

/** Longest control frame: the table of many thousand ranks. */
const MAX_CONTROL_BYTES = 1 << 20

/** Whom a peer tells what happens to it. */
export interface PeerEvents {
  /** It has gone without a goodbye, or the other peers have lost one: nothing can go on. */
  lost(error: TransportError): void
  /** Where all ranks are, from rank 0. */
  table(body: Uint8Array): void
  /** It went before the group was whole. Says whether it may come again. */
  mayComeAgain(rank: number): boolean
}

/** A peer, from the side of this rank. */
export class Peer implements FrameTaker {
  readonly rank: number
  readonly maxBytes: number
  readonly #mailbox: Mailbox<Arrival>
  readonly #events: PeerEvents
  readonly #timeoutMs: number
  /** The message that is coming in. */
  #arrival: Arrival | undefined
  /** Bytes of messages that nobody has come for, from their head on. */
  #queuedBytes = 0
  #in: Connection | undefined
  #out: Connection | undefined
  /** Why nothing can be sent any more. */
  #ended: TransportError | undefined
  #leaving: Promise<void> | undefined
  /** Sends under way. */
  readonly #pending = new Set<(error: TransportError) => void>()
  #goodbye: ReturnType<typeof setTimeout> | undefined

  constructor(
    rank: number,
    mailbox: Mailbox<Arrival>,
    { events, maxBytes, timeoutMs }: { events: PeerEvents; maxBytes: number; timeoutMs: number },
  ) {
    this.rank = rank
    this.#mailbox = mailbox
    this.#events = events
    this.maxBytes = maxBytes
    this.#timeoutMs = timeoutMs
  }

  /** Whether both sockets are there. */
  get isLinked(): boolean {
    return this.#in !== undefined && this.#out !== undefined
  }

  /** Whether it has come as far as to be spoken to. */
  get isHere(): boolean {
    return this.#out !== undefined
  }

  /** Takes the socket that this rank hears on. */
  hearOn(connection: Connection): void {
    if (this.#isTooLate(connection)) return
    this.#in = connection
    connection.isFull = () =>
      this.#queuedBytes > QUEUED_BYTES && !this.#arrival?.isClaimed && !this.#mailbox.isAwaited(this.rank)
    connection.onClose = (cause) => {
      if (!this.#ended)
        this.#lose(cause ? `was lost: ${cause.message}` : 'was lost: its connection ended without a goodbye')
    }
  }

  /** Takes the socket that this rank speaks on. */
  speakOn(connection: Connection): void {
    if (this.#isTooLate(connection)) return
    this.#out = connection
    connection.onClose = (cause) => {
      if (this.#ended) return
      if (!this.#in && this.#events.mayComeAgain(this.rank)) {
        this.#out = undefined
        return
      }
      // Hear what it has said before: it may be a goodbye, or who was lost.
      if (this.#in?.isPaused) this.#in.socket.resume()
      const why = cause ? `was lost: ${cause.message}` : 'was lost: it no longer listens'
      this.#goodbye = setTimeout(() => this.#lose(why), GOODBYE_MS)
    }
  }

  /** Sends a message. @throws {TransportError} if the peer is gone or late. */
  async send(tag: number, bytes: Uint8Array): Promise<void> {
    if (bytes.length > this.maxBytes)
      throw new TransportError('A message is too long.', {
        expected: `at most ${this.maxBytes} bytes`,
        received: `${bytes.length} bytes`,
        remedy: 'Raise maxMessageBytes of all ranks',
      })
    if (this.#ended) throw this.#ended
    const sent = this.#out!.send(tag, bytes)
    if (sent) await this.#unlessItEnds(sent)
  }

  /** Sends a frame that is no message, and does not wait for it. */
  tell(tag: number, body: Uint8Array = new Uint8Array(0)): void {
    if (this.#out?.socket.writable) this.#out.send(tag, body)?.catch(() => {})
  }

  /** Receives a message, and hears the peer again where it was held back. */
  async receive(tag: number, into?: Uint8Array): Promise<Uint8Array> {
    const start = performance.now()
    const taken = this.#mailbox.take(this.rank, tag, (arrival) => {
      arrival.claim(into)
      this.#queuedBytes -= arrival.length
    })
    this.#in?.resume()
    const arrival = await taken
    if (arrival.filled === arrival.length || this.#timeoutMs === Infinity) return arrival.received(into)
    // What is left of it would go into memory that is the caller's again: without it nothing can go on.
    const timer = setTimeout(
      () => this.#lose(`sent only a part of a message within ${this.#timeoutMs} ms`),
      start + this.#timeoutMs - performance.now(),
    )
    try {
      return await arrival.received(into)
    } finally {
      clearTimeout(timer)
    }
  }

  /** Shows that this rank lives, where it has said nothing since `idleSince`. */
  beat(idleSince: number): void {
    if (this.#out && this.#out.sentAt < idleSince && this.#out.socket.writableLength === 0) this.tell(control.beat)
  }

  /**
   * Loses the peer if it has given no sign of life since `silentSince`. What one that is held back sends is not read:
   * then only its heart can tell.
   *
   * @param life - `beatsMs`: how long its heart is silent; `hasBeaten`: whether it was ever heard.
   */
  checkLife(silentSince: number, life: { silenceMs: number; beatsMs: number; hasBeaten: boolean }): void {
    const { silenceMs, beatsMs, hasBeaten } = life
    if (!this.#in || this.#ended || this.#in.heardAt >= silentSince || beatsMs < silenceMs) return
    if (this.#in.isPaused && !hasBeaten) return
    this.#lose(`has given no sign of life for ${silenceMs} ms`)
  }

  /** Does not count the time before `now` as silence. */
  pardon(now: number): void {
    if (this.#in) this.#in.heardAt = Math.max(this.#in.heardAt, now)
  }

  /** Takes leave once everything is sent, or when the peer does not take it in time; closes the sockets. */
  leave(error: TransportError): Promise<void> {
    this.#leaving ??= this.#leave(error)
    return this.#leaving
  }

  begin(tag: number, length: number): FrameBody {
    if (tag < 2 ** 31) {
      this.#arrival = new Arrival(this.rank, length)
      this.#queuedBytes += length
      this.#mailbox.deliver(this.rank, tag, this.#arrival)
      return this.#arrival
    }
    if (length > MAX_CONTROL_BYTES)
      throw new TransportError(`Rank ${this.rank} sent a control frame that is too long.`, { rank: this.rank })
    return { bytes: new Uint8Array(length), length, filled: 0 }
  }

  end(tag: number, body: FrameBody): void {
    if (tag < 2 ** 31) {
      this.#arrival!.end()
      this.#arrival = undefined
    } else this.#endControl(tag, body.bytes)
  }

  #endControl(tag: number, body: Uint8Array): void {
    switch (tag) {
      case control.beat:
        break
      case control.bye:
        this.#end(gone(this.rank))
        this.#out?.socket.destroy()
        this.#mailbox.fail(gone(this.rank), this.rank)
        break
      case control.abort:
        this.#events.lost(decodeAbort(body))
        break
      case control.table:
        this.#events.table(body)
        break
      default:
        throw new TransportError(`Rank ${this.rank} sent a frame of an unknown kind.`, { rank: this.rank })
    }
  }

  /** Closes a socket that came when this side had left already. */
  #isTooLate({ socket }: Connection): boolean {
    if (this.#leaving) socket.destroy()
    return this.#leaving !== undefined
  }

  #lose(why: string): void {
    this.#events.lost(new TransportError(`Rank ${this.rank} ${why}.`, { rank: this.rank }))
  }

  async #leave(error: TransportError): Promise<void> {
    const lingerMs = this.#pending.size > 0 ? UNSENT_LINGER_MS : LINGER_MS
    this.tell(control.bye)
    this.#end(error)
    // Nobody receives any more, and memory that a receiver gave is not written to after its receive has failed.
    if (this.#in) this.#in.isFull = () => true
    this.#in?.socket.pause()
    await this.#out?.end(lingerMs)
    for (const connection of [this.#in, this.#out]) connection?.socket.destroy()
  }

  /** Ends what is under way and what is to come. */
  #end(error: TransportError): void {
    this.#ended ??= error
    clearTimeout(this.#goodbye)
    this.#arrival?.fail(error)
    for (const fail of this.#pending) fail(error)
  }

  #unlessItEnds(sent: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void) => {
        clearTimeout(timer)
        this.#pending.delete(fail)
        finish()
      }
      const fail = (error: TransportError) => settle(() => reject(error))
      // The socket holds on to memory that is the caller's again, and sends it later: without it nothing can go on.
      const giveUp = () => this.#lose(`did not take a message within ${this.#timeoutMs} ms`)
      const timer = this.#timeoutMs === Infinity ? undefined : setTimeout(giveUp, this.#timeoutMs)
      this.#pending.add(fail)
      // A socket that fails does not say whether the peer left or was lost: `#end` will.
      sent.then(
        () => settle(resolve),
        () => {},
      )
    })
  }
}

/** Why a group has ended, as a frame. */
export function encodeAbort(error: TransportError): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ message: error.message.slice(0, 2000), rank: error.rank }))
}

function decodeAbort(body: Uint8Array): TransportError {
  const { message, rank } = JSON.parse(new TextDecoder().decode(body)) as { message: string; rank?: number }
  return new TransportError(message, { rank })
}
