/** What parent and child processes of a benchmark say to each other. @module */

import type { Task } from './cases.js'

/** What a child is told, as JSON in its last argument. */
export interface Order extends Task {
  /** Time to measure, after a warm-up of half as long. */
  seconds: number
  /** dcml's engine. */
  engine: 'auto' | 'captured' | 'eager'
  /** Whether dcml runs large matrix products in a native BLAS. */
  assist: boolean
}

/** What a library measured. */
export interface Measurement {
  usPerSample: number
  version?: string
  /** How it was set, where that is not how it always is. */
  settings?: string
  /** Which of dcml's engines ran the steps. */
  engine?: string
  backend?: string
  /** The BLAS that helped dcml. */
  assist?: string
}

/** What a child answers, as JSON in the last line that it prints: `skipped` where the library is not here. */
export type Outcome = Measurement | { skipped: string } | { error: string }

/**
 * Adds up the time of whole epochs once the warm-up is over.
 *
 * The code of a step runs several times as slowly until the runtime has compiled it, hence a warm-up by the clock.
 */
export class EpochClock {
  readonly #seconds: number
  #warmUp = 0
  #measured = 0
  #rows = 0

  /** @param seconds - Time to measure; half of it, and at least one epoch, goes before as the warm-up. */
  constructor(seconds: number) {
    this.#seconds = seconds
  }

  /** Takes the figures of an epoch that ended. Returns true when enough was measured. */
  add(rows: number, seconds: number): boolean {
    if (this.#warmUp === 0 || this.#warmUp < this.#seconds / 2) {
      this.#warmUp += seconds
      return false
    }
    this.#measured += seconds
    this.#rows += rows
    return this.#measured >= this.#seconds
  }

  get usPerSample(): number {
    return (this.#measured / this.#rows) * 1e6
  }
}
