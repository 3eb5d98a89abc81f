/** Messages in half of the bytes. @module */

import { decodeHalfFloats, encodeHalfFloats, type HalfFormat } from '../core/index.js'
import type { Reducible, Transport } from '../transport/index.js'
import { Messages, type Sendable } from './messages.js'

/** Float32 values are rounded as they are sent; all others travel as they are. */
export class RoundedMessages extends Messages {
  readonly #format: HalfFormat
  /** Memory that nobody uses, and that which is under way. */
  readonly #free: Uint16Array[] = []
  #used: Uint16Array[] = []

  constructor(transport: Transport, format: HalfFormat) {
    super(transport)
    this.#format = format
  }

  override sendPiece(to: number, piece: Sendable): void {
    if (!(piece instanceof Float32Array)) {
      super.sendPiece(to, piece)
      return
    }
    const halves = this.#take(piece.length)
    encodeHalfFloats(this.#format, piece, halves)
    super.sendPiece(to, halves)
    this.#used.push(new Uint16Array(halves.buffer))
  }

  override async receivePiece(from: number, into: Sendable): Promise<void> {
    if (!(into instanceof Float32Array)) return super.receivePiece(from, into)
    const halves = this.#take(into.length)
    await super.receivePiece(from, halves)
    decodeHalfFloats(this.#format, halves, into)
    this.#free.push(new Uint16Array(halves.buffer))
  }

  override async settle(): Promise<void> {
    const used = this.#used
    this.#used = []
    await super.settle()
    this.#free.push(...used)
  }

  override round(piece: Reducible): void {
    if (!(piece instanceof Float32Array)) return
    const halves = this.#take(piece.length)
    encodeHalfFloats(this.#format, piece, halves)
    decodeHalfFloats(this.#format, halves, piece)
    this.#free.push(new Uint16Array(halves.buffer))
  }

  #take(length: number): Uint16Array {
    return (this.#free.pop() ?? new Uint16Array(this.pieceBytes / Float32Array.BYTES_PER_ELEMENT)).subarray(0, length)
  }
}
