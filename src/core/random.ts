/**
 * A seeded generator for host code: shuffles, splits, samplers.
 * @module
 */

import { ConfigError } from './errors.js'
import { philox4x32, wordToUniform } from './philox.js'

/** Where a generator stands; plain data, so that it can be saved in a checkpoint. */
export interface RandomState {
  seed: number
  stream: number
  /** How many words were drawn so far. */
  position: number
  /** Absent: [0, 0]. */
  place?: readonly [number, number]
}

/**
 * Random numbers from a seed.
 *
 * @example
 * const random = new Random(42)
 * random.uniform()          // in [0, 1)
 * random.permutation(10)    // Uint32Array of 0..9 in random order
 */
export class Random {
  #seed: number
  #stream: number
  #position = 0
  readonly #place: readonly [number, number]
  readonly #counter = new Uint32Array(4)
  readonly #block = new Uint32Array(4)

  /**
   * @param seed - Integer, 0 to 2^32 - 1.
   * @param stream - Integer, 0 to 2^32 - 1. Streams of one seed are independent.
   * @param place - Two such integers, as epoch and row: so are the places of one stream.
   * @default stream 0, place [0, 0]
   */
  constructor(seed: number, stream = 0, place: readonly [number, number] = [0, 0]) {
    assertUint32('seed', seed)
    assertUint32('stream', stream)
    for (const word of place) assertUint32('place', word)
    this.#seed = seed
    this.#stream = stream
    this.#place = place
  }

  /** A generator that goes on where the saved one stood. */
  static fromState({ seed, stream, position, place }: RandomState): Random {
    const random = new Random(seed, stream, place)
    if (position % 4 !== 0) random.#fill(Math.floor(position / 4))
    random.#position = position
    return random
  }

  /** Where this generator stands. */
  get state(): RandomState {
    const place = this.#place.some((word) => word > 0) ? { place: this.#place } : {}
    return { seed: this.#seed, stream: this.#stream, position: this.#position, ...place }
  }

  /** A word, uniform over 0 to 2^32 - 1. */
  word(): number {
    const lane = this.#position % 4
    if (lane === 0) this.#fill(this.#position / 4)
    this.#position++
    return this.#block[lane]!
  }

  /** A number in [0, 1), a multiple of 2^-24. */
  uniform(): number {
    return wordToUniform(this.word())
  }

  /** An integer in 0 to `below - 1`, without bias (Lemire 2019, https://arxiv.org/abs/1805.10941). */
  integer(below: number): number {
    if (!Number.isInteger(below) || below < 1 || below > 2 ** 32)
      throw new ConfigError('Random.integer needs a bound.', { expected: 'an integer from 1 to 2^32', received: below })
    const limit = 2 ** 32 - (2 ** 32 % below)
    for (;;) {
      const word = this.word()
      if (word < limit) return word % below
    }
  }

  /** A normal deviate with mean 0 and standard deviation 1 (Box-Muller). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()))
    return radius * Math.cos(2 * Math.PI * this.uniform())
  }

  /** Shuffles in place (Fisher-Yates). */
  shuffle<T extends { [index: number]: unknown; length: number }>(items: T): T {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.integer(i + 1)
      const held = items[i]
      items[i] = items[j]
      items[j] = held
    }
    return items
  }

  /** The numbers 0 to `length - 1` in random order. */
  permutation(length: number): Uint32Array {
    const order = new Uint32Array(length)
    for (let i = 0; i < length; i++) order[i] = i
    return this.shuffle(order)
  }

  #fill(blockIndex: number): void {
    this.#counter[0] = blockIndex >>> 0
    this.#counter[1] = Math.floor(blockIndex / 2 ** 32)
    this.#counter[2] = this.#place[0]
    this.#counter[3] = this.#place[1]
    philox4x32(this.#counter, this.#seed, this.#stream, this.#block)
  }
}

function assertUint32(name: string, value: number): void {
  if (!Number.isInteger(value) || value < 0 || value >= 2 ** 32)
    throw new ConfigError(`The ${name} of a random generator is not a whole number in range.`, {
      expected: 'an integer from 0 to 4294967295',
      received: value,
    })
}
