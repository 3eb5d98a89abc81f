/** A trial as its objective sees it. @module */

import { NumericError } from '../core/index.js'
import type { Params } from './space/index.js'

/** One try: the parameters to use, and a way to tell how it goes. */
export interface Trial<P = Params> {
  /** From 0. */
  readonly number: number
  readonly params: P
  /** The trial that this one continues, when the sampler says so. */
  readonly parent: number | undefined
  /** Set when the study is to stop; pass it to `fit`. What the trial gives after that does not count. */
  readonly signal: AbortSignal
  /** Whether a report was so bad that going on is not worth it: return soon, with any value. */
  readonly shouldPrune: boolean
  /**
   * Tells a value on the way, and sets `shouldPrune`.
   *
   * @param step - How far the trial is, rising: epochs, mostly.
   * @throws {NumericError} if one of the two is not a finite number.
   */
  report(step: number, value: number): Promise<void>
}

/** What a study minimizes or maximizes: gives one value, or one per direction. */
export type Objective<P = Params> = (trial: Trial<P>) => Score | Promise<Score>

/** One value, or one per direction of the study. */
export type Score = number | readonly number[]

/** What a trial object needs of whoever runs it. */
export interface TrialParts {
  readonly number: number
  readonly params: Params
  readonly parent: number | undefined
}

/** A trial that passes reports on and learns from the answer whether it is to go on. */
export class LiveTrial implements Trial {
  readonly number: number
  readonly params: Params
  readonly parent: number | undefined
  readonly signal: AbortSignal
  readonly #judge: (step: number, value: number) => Promise<boolean>
  #shouldPrune = false

  constructor(
    { number, params, parent }: TrialParts,
    signal: AbortSignal,
    judge: (step: number, value: number) => Promise<boolean>,
  ) {
    this.number = number
    this.params = params
    this.parent = parent
    this.signal = signal
    this.#judge = judge
  }

  get shouldPrune(): boolean {
    return this.#shouldPrune
  }

  async report(step: number, value: number): Promise<void> {
    for (const [what, number] of Object.entries({ step, value }))
      if (typeof number !== 'number' || !Number.isFinite(number))
        throw new NumericError(`Trial ${this.number} reported a ${what} that is not a finite number.`, {
          received: number,
        })
    // Schedulers judge at some steps only; what one said holds.
    if (await this.#judge(step, value)) this.#shouldPrune = true
  }
}
