/** Typed arrays as messages of a transport. @module */

import { TransportError } from '../core/index.js'
import { combineInto, type ReduceOperation, type Reducible, shareOf, type Transport } from '../transport/index.js'

/** The tag of all collective messages; a transport leaves it to them. */
export const COLLECTIVE_TAG = 2 ** 31 - 1

/**
 * Longer arrays travel in pieces, so that sending, receiving and combining overlap. Few of them, for each wakes up both
 * sides: of so many bytes for all peers that may send at the same time, whose pieces lie here meanwhile.
 */
const PIECES_BYTES = 1 << 22
/** However many peers there are. */
const LEAST_PIECE_BYTES = 1 << 20

/** What travels: arrays of numbers, or of the bits of rounded ones. */
export type Sendable = Reducible | Uint16Array

/**
 * One rank's end of the messages of collectives.
 *
 * Sends are not awaited one by one: they go on while others are received. An array that was sent may be overwritten
 * once `settle` has returned, or with what the receiver made of it.
 */
export class Messages {
  readonly transport: Transport
  readonly rank: number
  readonly worldSize: number
  /** Bytes of a piece, the same on every rank: whole numbers of the largest class. */
  readonly pieceBytes: number
  #sends: Promise<void>[] = []
  readonly #scratch = new Map<number, ArrayBuffer>()

  constructor(transport: Transport) {
    this.transport = transport
    this.rank = transport.rank
    this.worldSize = transport.worldSize
    const share = PIECES_BYTES / Math.max(1, this.worldSize - 1)
    this.pieceBytes = Math.max(LEAST_PIECE_BYTES, share - (share % Float64Array.BYTES_PER_ELEMENT))
  }

  /** The rank that is `distance` after this one, round the circle. */
  after(distance: number): number {
    return (((this.rank + distance) % this.worldSize) + this.worldSize) % this.worldSize
  }

  /** The other ranks, beginning with the next: not all of them speak to the same one first. */
  peers(): number[] {
    return Array.from({ length: this.worldSize - 1 }, (_, i) => this.after(i + 1))
  }

  /** Sends an array, in pieces. An empty one is no message. */
  send(to: number, array: Sendable): void {
    for (const piece of this.piecesOf(array)) this.sendPiece(to, piece)
  }

  /** Sends one message, which may be empty. */
  sendPiece(to: number, piece: Sendable): void {
    const sent = this.transport.send(to, COLLECTIVE_TAG, bytesOf(piece))
    // It is told by settle; a receive that fails before would leave it unhandled.
    sent.catch(() => {})
    this.#sends.push(sent)
  }

  /** Waits until all that was sent may be overwritten. */
  async settle(): Promise<void> {
    const sends = this.#sends
    this.#sends = []
    await Promise.all(sends)
  }

  /** Receives as many elements as the array has, and tells of each piece once it is there. */
  async receive<T extends Sendable>(from: number, into: T, onPiece?: (piece: T) => void): Promise<void> {
    for (const piece of this.piecesOf(into)) {
      await this.receivePiece(from, piece)
      onPiece?.(piece)
    }
  }

  /**
   * Receives as many elements as the array has and combines them into it, one piece while the next is on its way. Tells
   * of each piece once it is combined.
   */
  async combine<T extends Reducible>(
    from: number,
    into: T,
    { op, onPiece }: { op: ReduceOperation; onPiece?: (piece: T) => void },
  ): Promise<void> {
    const arrive = (piece: T | undefined, turn: number) =>
      piece && this.receiving(from, this.scratch(piece, piece.length, turn % 2))
    const pieces = [...this.piecesOf(into)]
    let arriving = arrive(pieces[0], 0)
    for (const [i, piece] of pieces.entries()) {
      const theirs = await arriving!
      arriving = arrive(pieces[i + 1], i + 1)
      combineInto(op, piece, piece, theirs)
      onPiece?.(piece)
    }
  }

  /** Begins to receive one piece. What goes wrong is told to whoever awaits it, even if that is later or nobody. */
  receiving<T extends Sendable>(from: number, into: T): Promise<T> {
    const received = this.receivePiece(from, into).then(() => into)
    received.catch(() => {})
    return received
  }

  /** Receives one message as long as the array. @throws {TransportError} if the ranks' arrays differ in length. */
  async receivePiece(from: number, into: Sendable): Promise<void> {
    const { byteLength } = await this.transport.receive(from, COLLECTIVE_TAG, bytesOf(into))
    if (byteLength !== into.byteLength)
      throw new TransportError(`Rank ${from} takes part in another collective than rank ${this.rank}.`, {
        expected: `${into.byteLength} bytes`,
        received: `${byteLength} bytes`,
        remedy: 'Call the same collectives in the same order, with arrays of one length and class, on every rank',
      })
  }

  /** The pieces that an array travels in: none for an empty one. */
  *piecesOf<T extends Sendable>(array: T): Generator<T> {
    const length = this.pieceBytes / array.BYTES_PER_ELEMENT
    for (let start = 0; start < array.length; start += length) yield array.subarray(start, start + length) as T
  }

  /** Memory that is kept from call to call; what it holds is anything. Each slot is another piece of it. */
  scratch<T extends Sendable>(like: T, length: number, slot = 0): T {
    const Class = like.constructor as new (buffer: ArrayBuffer, offset: number, length: number) => T
    let buffer = this.#scratch.get(slot)
    if (!buffer || buffer.byteLength < length * like.BYTES_PER_ELEMENT) {
      buffer = new ArrayBuffer(length * like.BYTES_PER_ELEMENT)
      this.#scratch.set(slot, buffer)
    }
    return new Class(buffer, 0, length)
  }

  /** What a rank must do to a result of its own before it sends it, to keep what the others receive. */
  round(_piece: Reducible): void {}
}

/** The share of a rank, as a view. */
export function shareOfArray<T extends Sendable>(array: T, part: number, parts: number): T {
  const { start, end } = shareOf(array.length, part, parts)
  return array.subarray(start, end) as T
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Sendable) => new Uint8Array(buffer, byteOffset, byteLength)
