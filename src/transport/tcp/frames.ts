/**
 * Frames: how messages lie in a stream of bytes. Knows no sockets.
 *
 * A frame is a head of 8 bytes, the length of the body and the tag, both unsigned 32-bit little-endian numbers, and the
 * body. Tags from 2^31 on are the transport's own.
 * @module
 */

import { TransportError } from '../../core/index.js'

/** Tags that the transport keeps to itself. */
export const control = {
  /** Who is there, and what it wants. */
  hello: 2 ** 31,
  /** A nonce, for the one that said hello to prove that it knows the secret. */
  challenge: 2 ** 31 + 1,
  /** Proof of the one that said hello. */
  proof: 2 ** 31 + 2,
  /** Proof of the other: both are in. */
  welcome: 2 ** 31 + 3,
  /** Why not. */
  refusal: 2 ** 31 + 4,
  /** Where all ranks are, from rank 0. */
  table: 2 ** 31 + 5,
  /** Nothing but a sign of life. */
  beat: 2 ** 31 + 6,
  /** The sender leaves; nothing follows. */
  bye: 2 ** 31 + 7,
  /** The group has ended. */
  abort: 2 ** 31 + 8,
} as const

/** Bytes of the head of a frame. */
export const HEAD_BYTES = 8

/** Bytes that are read at once where it is not known what comes. */
const SCRATCH_BYTES = 1 << 16

/** Writes the head of a frame. */
export function writeHead(into: Uint8Array, { tag, length }: { tag: number; length: number }): void {
  const view = new DataView(into.buffer, into.byteOffset, HEAD_BYTES)
  view.setUint32(0, length, true)
  view.setUint32(4, tag, true)
}

/** A frame in one piece, for bodies that are short enough to be copied. */
export function frame(tag: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES + body.length)
  writeHead(bytes, { tag, length: body.length })
  bytes.set(body, HEAD_BYTES)
  return bytes
}

/** A body that is coming in. */
export interface FrameBody {
  /** Memory of the whole body. May be other memory whenever it is looked at, with the same first `filled` bytes. */
  readonly bytes: Uint8Array
  readonly length: number
  /** How many bytes have come. The reader writes it. */
  filled: number
}

/** Whoever takes the frames of a `FrameReader`. */
export interface FrameTaker {
  /** Longest body that it takes; read anew for each frame. */
  readonly maxBytes: number
  /** A head has come. @throws {TransportError} if no such frame may come now. */
  begin(tag: number, length: number): FrameBody
  /** The body has come. */
  end(tag: number, body: FrameBody): void
}

/**
 * Cuts a stream into frames. What is read from a socket goes straight into the memory of the message once its head is
 * known: `memory()` says where the next bytes are to be read to, `take()` takes them in.
 */
export class FrameReader {
  /** May be replaced by `end`: the next frame goes to the new one. */
  taker: FrameTaker
  readonly #head = new Uint8Array(HEAD_BYTES)
  readonly #headView = new DataView(this.#head.buffer)
  #headFilled = 0
  #scratch: Uint8Array | undefined
  #tag = 0
  #body: FrameBody | undefined

  constructor(taker: FrameTaker) {
    this.taker = taker
  }

  /** Where the next bytes should be read to. */
  memory(): Uint8Array {
    if (this.#body) return this.#body.bytes.subarray(this.#body.filled)
    this.#scratch ??= new Uint8Array(SCRATCH_BYTES)
    return this.#scratch
  }

  /**
   * Takes bytes in.
   *
   * @throws {TransportError} if they are no frame that the taker takes.
   */
  take(bytes: Uint8Array): void {
    let at = 0
    while (at < bytes.length) {
      at += this.#body ? this.#takeBody(this.#body, bytes.subarray(at)) : this.#takeHead(bytes.subarray(at))
      const body = this.#body
      if (!body || body.filled < body.length) continue
      this.#body = undefined
      this.taker.end(this.#tag, body)
    }
  }

  #takeHead(bytes: Uint8Array): number {
    const count = Math.min(HEAD_BYTES - this.#headFilled, bytes.length)
    this.#head.set(bytes.subarray(0, count), this.#headFilled)
    this.#headFilled += count
    if (this.#headFilled < HEAD_BYTES) return count
    this.#headFilled = 0
    const length = this.#headView.getUint32(0, true)
    this.#tag = this.#headView.getUint32(4, true)
    const { maxBytes } = this.taker
    if (length > maxBytes)
      throw new TransportError('A frame is too long.', {
        expected: `at most ${maxBytes} bytes`,
        received: `${length} bytes`,
      })
    this.#body = this.taker.begin(this.#tag, length)
    return count
  }

  #takeBody(body: FrameBody, bytes: Uint8Array): number {
    const into = body.bytes
    const count = Math.min(into.length - body.filled, bytes.length)
    const isThere = bytes.buffer === into.buffer && bytes.byteOffset === into.byteOffset + body.filled
    if (!isThere) into.set(bytes.subarray(0, count), body.filled)
    body.filled += count
    return count
  }
}
