/** A message that is coming in over a socket. @module */

import { type Deferred, deferred, type TransportError } from '../../core/index.js'
import { placeIn } from '../mailbox.js'
import type { FrameBody } from './frames.js'

/** Known from its head on. Who receives it may come before it, in the middle of it, or later. */
export class Arrival implements FrameBody {
  readonly length: number
  filled = 0
  isClaimed = false
  readonly #from: number
  readonly #whole: Deferred<void> = deferred()
  #bytes: Uint8Array | undefined

  constructor(from: number, length: number) {
    this.#from = from
    this.length = length
    // It may be that nobody ever comes for it.
    this.#whole.promise.catch(() => {})
  }

  /** Memory of the whole: the receiver's own, where it came in time. */
  get bytes(): Uint8Array {
    this.#bytes ??= new Uint8Array(this.length)
    return this.#bytes
  }

  /** Makes it the message of a receiver. What is left of it goes straight into its memory. */
  claim(into: Uint8Array | undefined): void {
    this.isClaimed = true
    // One that is too short is refused once the whole has come, and the next can be received.
    if (!into || into.length < this.length) return
    const place = into.subarray(0, this.length)
    if (this.#bytes) place.set(this.#bytes.subarray(0, this.filled))
    this.#bytes = place
  }

  /** The message, once it is whole. @throws {TransportError} if it is longer than `into`, or its sender is gone. */
  async received(into: Uint8Array | undefined): Promise<Uint8Array> {
    await this.#whole.promise
    return into ? placeIn(into, this.length, this.#from) : this.bytes
  }

  /** Says that all bytes have come. */
  end(): void {
    this.#whole.resolve()
  }

  /** Says that the rest will not come. */
  fail(error: TransportError): void {
    this.#whole.reject(error)
  }
}
