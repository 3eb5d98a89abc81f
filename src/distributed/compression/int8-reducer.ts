/** Gradients in 8 bits. @module */

import type { FlatParameters } from '../../engine/index.js'
import { type Collectives, shareOf } from '../../transport/index.js'
import type { GradientReducer } from './reducer.js'

/** Each worker sends the others their shares, adds up its own, and sends the sum to all. */
export class Int8Reducer implements GradientReducer {
  readonly error: Float32Array
  readonly #collectives: Collectives
  readonly #place: { rank: number; worldSize: number }
  readonly #bucket: number

  constructor(
    collectives: Collectives,
    place: { rank: number; worldSize: number },
    { bucket, length }: { bucket: number; length: number },
  ) {
    this.#collectives = collectives
    this.#place = place
    this.#bucket = bucket
    this.error = new Float32Array(length)
  }

  async reduce(parameters: FlatParameters): Promise<void> {
    const { error } = this
    const { rank, worldSize } = this.#place
    const { gradients } = parameters
    for (let i = 0; i < error.length; i++) error[i]! += gradients[i]!
    const shares = Array.from({ length: worldSize }, (_, part) => {
      const { start, end } = shareOf(error.length, part, worldSize)
      return error.subarray(start, end)
    })
    const received = await this.#collectives.allToAll(shares.map((share) => this.#encode(share)))
    const own = shares[rank]!
    const sum = new Float32Array(own.length)
    for (const bytes of received) this.#decode(bytes, sum)
    // What the second rounding leaves out is kept where the sum was made, and sent with the next.
    for (let i = 0; i < sum.length; i++) sum[i]! += own[i]!
    const message = this.#encode(sum)
    own.set(sum)
    const messages = await this.#collectives.allGather(message)
    const target = parameters.gradients
    target.fill(0, 0, error.length)
    let at = 0
    for (let part = 0; part < worldSize; part++) {
      const { start, end } = shareOf(error.length, part, worldSize)
      const words = wordsOf(end - start, this.#bucket)
      this.#decode(messages.subarray(at, at + words), target.subarray(start, end))
      at += words
    }
  }

  /** Rounds values; they keep what that leaves out. One scale per bucket, then a byte per value. */
  #encode(values: Float32Array): Int32Array {
    const words = new Int32Array(wordsOf(values.length, this.#bucket))
    const scales = new Float32Array(words.buffer, 0, Math.ceil(values.length / this.#bucket))
    const bytes = new Int8Array(words.buffer, scales.byteLength)
    for (let bucket = 0; bucket < scales.length; bucket++) {
      const end = Math.min(values.length, (bucket + 1) * this.#bucket)
      let largest = 0
      for (let i = bucket * this.#bucket; i < end; i++) largest = Math.max(largest, Math.abs(values[i]!))
      scales[bucket] = largest / 127
      const scale = scales[bucket]!
      if (scale === 0) continue
      for (let i = bucket * this.#bucket; i < end; i++) {
        bytes[i] = Math.round(values[i]! / scale)
        values[i]! -= bytes[i]! * scale
      }
    }
    return words
  }

  /** Adds up what was encoded. */
  #decode(words: Int32Array, into: Float32Array): void {
    const scales = new Float32Array(words.buffer, words.byteOffset, Math.ceil(into.length / this.#bucket))
    const bytes = new Int8Array(words.buffer, words.byteOffset + scales.byteLength)
    for (let i = 0; i < into.length; i++) into[i]! += bytes[i]! * scales[Math.floor(i / this.#bucket)]!
  }
}

const wordsOf = (length: number, bucket: number): number => Math.ceil(length / bucket) + Math.ceil(length / 4)
