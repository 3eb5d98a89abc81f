/** The bytes of a file, in the portions that are asked for. @module */

import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { type Duplex, pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { DataError } from '../core/index.js'

/** Reads a file from its start, unpacked when it is gzipped, whatever its name. */
export class ByteReader {
  readonly path: string
  readonly #stream: AsyncIterator<Uint8Array>
  #held: Uint8Array[] = []
  #heldBytes = 0
  #offset = 0

  private constructor(path: string, stream: AsyncIterable<Uint8Array>) {
    this.path = path
    this.#stream = stream[Symbol.asyncIterator]()
  }

  /** @throws {DataError} if the file cannot be opened. */
  static async open(path: string): Promise<ByteReader> {
    try {
      const packed = await isGzip(path)
      const file = createReadStream(path)
      // Errors of both stages reach the reader through the second, which pipeline destroys with them.
      return new ByteReader(path, packed ? (pipeline(file, createGunzip(), () => {}) as Duplex) : file)
    } catch (cause) {
      throw new DataError(`${path} cannot be read: ${(cause as Error).message}`, { cause })
    }
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
        throw new DataError(`${this.path} is cut off at byte ${this.#offset + this.#heldBytes}.`, {
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
    throw new DataError(`${this.path} goes on at byte ${this.#offset}, where its values end.`, {
      expected: `${this.#offset} bytes`,
      remedy: 'Write or fetch it again, one array a file',
    })
  }

  /** Closes the file. */
  async close(): Promise<void> {
    await this.#stream.return?.()
  }

  async #readMore(): Promise<boolean> {
    try {
      const { done, value } = await this.#stream.next()
      if (done) return false
      this.#held.push(value)
      this.#heldBytes += value.length
      return true
    } catch (cause) {
      const at = this.#offset + this.#heldBytes
      throw new DataError(`${this.path} cannot be read beyond byte ${at}: ${(cause as Error).message}`, {
        cause,
        remedy: 'Write or fetch it again',
      })
    }
  }
}

async function isGzip(path: string): Promise<boolean> {
  const file = await open(path)
  try {
    const { buffer } = await file.read({ buffer: new Uint8Array(2) })
    return buffer[0] === 0x1f && buffer[1] === 0x8b
  } finally {
    await file.close()
  }
}
