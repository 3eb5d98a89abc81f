/** The bytes of a file, in the portions that are asked for. @module */

import { DataError } from '../core/index.js'
import { type ByteSource, unpacked } from './byte-source.js'

/** Reads a file from its start, unpacked when it is gzipped, whatever its name. */
export class ByteReader {
  /** The name of the file, for messages. */
  readonly name: string
  readonly #stream: AsyncGenerator<Uint8Array>
  #held: Uint8Array[] = []
  #heldBytes = 0
  #offset = 0

  constructor(source: ByteSource) {
    this.name = source.name
    this.#stream = unpacked(source)
  }

  /** Bytes taken so far: where the next one is, in the unpacked file. */
  get offset(): number {
    return this.#offset
  }

  /**
   * The next bytes, in memory of their own.
   *
   * @param count - How many.
   * @param end - Length that the whole file should have at least, for messages.
   * @throws {DataError} with file and byte, if the file ends before them or is damaged.
   */
  async take(count: number, end = this.#offset + count): Promise<Uint8Array> {
    while (this.#heldBytes < count)
      if (!(await this.#readMore()))
        throw new DataError(`${this.name} is cut off at byte ${this.#offset + this.#heldBytes}.`, {
          expected: `${end} bytes`,
          received: `${this.#offset + this.#heldBytes} bytes`,
          remedy: 'Write or fetch it again',
        })
    const bytes = new Uint8Array(count)
    let filled = 0
    while (filled < count) {
      const part = this.#held[0]!.subarray(0, count - filled)
      bytes.set(part, filled)
      filled += part.length
      if (part.length === this.#held[0]!.length) this.#held.shift()
      else this.#held[0] = this.#held[0]!.subarray(part.length)
    }
    this.#heldBytes -= count
    this.#offset += count
    return bytes
  }

  /** @throws {DataError} if there is anything left to read. */
  async expectEnd(): Promise<void> {
    while (this.#heldBytes === 0) if (!(await this.#readMore())) return
    throw new DataError(`${this.name} goes on at byte ${this.#offset}, where its values end.`, {
      expected: `${this.#offset} bytes`,
      remedy: 'Write or fetch it again, one array a file',
    })
  }

  /** Closes the file. */
  async close(): Promise<void> {
    await this.#stream.return(undefined)
  }

  async #readMore(): Promise<boolean> {
    const { done, value } = await this.#stream.next()
    if (done) return false
    this.#held.push(value)
    this.#heldBytes += value.length
    return true
  }
}
