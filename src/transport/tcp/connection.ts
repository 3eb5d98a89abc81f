/**
 * One socket that speaks frames: a handshake first, then whatever its taker takes.
 *
 * The side that dials reads straight into the memory of the messages, which Node allows on a socket that it opens
 * itself and not on one that it accepts. So every rank dials every other, and hears on what it dialed.
 * @module
 */

import { connect, type OnReadOpts, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { deferred, TransportError } from '../../core/index.js'
import type { Address } from './address.js'
import { type FrameBody, FrameReader, type FrameTaker, HEAD_BYTES, writeHead } from './frames.js'
import { type Handshake, MAX_HANDSHAKE_BYTES, Refused } from './handshake.js'

/** How long a handshake may take, for a stranger may say nothing, or one byte a minute. */
export const HANDSHAKE_MS = 5000

/** Bodies up to this length are copied behind their head: one write of one piece costs less than one of two. */
const COPIED_BYTES = 1 << 14

/** One socket. */
export class Connection {
  readonly socket: Socket
  readonly #reader = new FrameReader(nobody)
  #isClosed = false
  #cause: Error | undefined
  #drained: Promise<void> | undefined
  /** When bytes came last, in milliseconds of `performance.now()`. */
  heardAt = performance.now()
  /** When something was sent last. */
  sentAt = performance.now()
  /** Says that it is full, asked after every read. */
  isFull: () => boolean = () => false
  isPaused = false
  /** Called once, when the socket is closed. */
  onClose: (cause: Error | undefined) => void = () => {}

  /** Takes a socket that was accepted. */
  static accept(socket: Socket): Connection {
    const connection = new Connection(() => socket)
    socket.on('data', (chunk: Uint8Array) => connection.#take(chunk))
    return connection
  }

  /** Opens a socket. @throws {Error} what the system says, if nobody accepts it in time. */
  static async dial(address: Address, tls: ConnectionOptions | undefined, signal: AbortSignal): Promise<Connection> {
    signal.throwIfAborted()
    const connection = new Connection((onread) =>
      tls ? connectTls({ ...tls, ...address, onread } as ConnectionOptions) : connect({ ...address, onread }),
    )
    const opened = deferred<void>()
    const { socket } = connection
    const give = () => connection.fail(new TransportError(`Nobody accepts a connection within ${HANDSHAKE_MS} ms.`))
    const timer = setTimeout(give, HANDSHAKE_MS)
    connection.onClose = (cause) => opened.reject(cause ?? new TransportError('The connection was closed.'))
    const stop = () => connection.fail(signal.reason as Error)
    signal.addEventListener('abort', stop)
    socket.once(tls ? 'secureConnect' : 'connect', () => opened.resolve())
    try {
      await opened.promise
      return connection
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
    }
  }

  private constructor(open: (onread: OnReadOpts) => Socket) {
    this.socket = open({
      buffer: () => this.#reader.memory(),
      callback: (count, memory) => this.#take(memory.subarray(0, count)),
    })
    // Small messages go out at once; the system looks after peers whose machine is gone while nothing is sent.
    this.socket.setNoDelay(true).setKeepAlive(true, 1000)
    this.socket.on('error', (error) => {
      this.#cause ??= error
    })
    this.socket.on('close', () => {
      this.#isClosed = true
      this.onClose(this.#cause)
    })
  }

  /** The other end, for people. */
  get name(): string {
    return `${this.socket.remoteAddress}:${this.socket.remotePort}`
  }

  /**
   * Goes through a handshake, and then hands frames to `taker`.
   *
   * @param first - What the side that dials says first.
   * @param onDone - Called before any frame reaches `taker`.
   * @throws {Error} if the other refuses, is refused, closes, or takes too long; the socket is closed then.
   */
  async shakeHands(
    handshake: Handshake,
    { first, taker, onDone }: { first?: Uint8Array; taker: FrameTaker; onDone?: () => void },
  ): Promise<void> {
    const done = deferred<void>()
    this.#reader.taker = new HandshakeTaker((tag, body) => {
      const answer = handshake.take(tag, body)
      if (answer) this.socket.write(answer)
      if (!handshake.isDone) return
      this.#reader.taker = taker
      onDone?.()
      done.resolve()
    })
    this.onClose = (cause) => done.reject(cause ?? closedInHandshake())
    const timer = setTimeout(() => {
      this.fail(new TransportError(`The handshake took longer than ${HANDSHAKE_MS} ms.`))
    }, HANDSHAKE_MS)
    if (this.#isClosed) done.reject(closedInHandshake())
    else if (first) this.socket.write(first)
    try {
      await done.promise
    } finally {
      clearTimeout(timer)
    }
  }

  /** Sends a frame; resolves when `body` may be changed. */
  send(tag: number, body: Uint8Array): Promise<void> | undefined {
    this.sentAt = performance.now()
    const { socket } = this
    if (body.length <= COPIED_BYTES) {
      const bytes = Buffer.allocUnsafe(HEAD_BYTES + body.length)
      writeHead(bytes, { tag, length: body.length })
      bytes.set(body, HEAD_BYTES)
      return socket.write(bytes) ? undefined : this.#drain()
    }
    const head = Buffer.allocUnsafe(HEAD_BYTES)
    writeHead(head, { tag, length: body.length })
    return new Promise((resolve, reject) => {
      // Head and body in one call to the system, from where they lie.
      socket.cork()
      socket.write(head)
      socket.write(body, (error) => (error ? reject(error) : resolve()))
      socket.uncork()
    })
  }

  /** Closes at once, or after some last words; the other may hang as it likes. */
  fail(cause: Error, lastWords?: Uint8Array): void {
    this.#cause ??= cause
    if (lastWords === undefined) {
      this.socket.destroy()
      return
    }
    this.socket.write(lastWords)
    this.socket.destroySoon()
  }

  /** Goes on reading after it was full. */
  resume(): void {
    if (!this.isPaused || this.isFull()) return
    this.isPaused = false
    this.heardAt = performance.now()
    this.socket.resume()
  }

  /** Sends what is still to be sent, and closes; at the latest after `lingerMs`. */
  async end(lingerMs: number): Promise<void> {
    if (this.#isClosed || this.socket.destroyed) return
    const flushed = deferred<void>()
    const timer = setTimeout(flushed.resolve, lingerMs)
    this.socket.once('close', () => flushed.resolve())
    this.socket.end(() => flushed.resolve())
    await flushed.promise
    clearTimeout(timer)
    this.socket.destroy()
  }
  #drain(): Promise<void> {
    this.#drained ??= new Promise<void>((resolve, reject) => {
      const settle = () => {
        this.#drained = undefined
        this.socket.off('drain', settle).off('close', settle)
        if (this.#isClosed) reject(this.#cause ?? new TransportError('The connection was closed.'))
        else resolve()
      }
      this.socket.on('drain', settle).on('close', settle)
    })
    return this.#drained
  }

  #take(bytes: Uint8Array): boolean {
    this.heardAt = performance.now()
    try {
      this.#reader.take(bytes)
    } catch (error) {
      this.fail(error as Error, error instanceof Refused ? error.answer : undefined)
      return false
    }
    this.isPaused = this.isFull()
    return !this.isPaused
  }
}

/** Takes the frames of a handshake, one at a time. */
class HandshakeTaker implements FrameTaker {
  readonly maxBytes = MAX_HANDSHAKE_BYTES
  readonly #onFrame: (tag: number, body: Uint8Array) => void

  constructor(onFrame: (tag: number, body: Uint8Array) => void) {
    this.#onFrame = onFrame
  }

  begin(_tag: number, length: number): FrameBody {
    return { bytes: new Uint8Array(length), length, filled: 0 }
  }

  end(tag: number, body: FrameBody): void {
    this.#onFrame(tag, body.bytes)
  }
}

/** Takes no frame: for a side to which nothing is sent. */
export const nobody: FrameTaker = {
  maxBytes: 0,
  begin() {
    throw new TransportError('Bytes came where none may come.')
  },
  end() {},
}

const closedInHandshake = () =>
  new TransportError('The other side closed the connection in the handshake.', {
    remedy: 'Check that all ranks use dcml, and that all or none use tls',
  })
