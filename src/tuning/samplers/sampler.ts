/** The contract of what chooses the parameters of the next trial. @module */

import { Random } from '../../core/index.js'
import type { Params, Space } from '../space/index.js'
import { completed, type Direction, lossOf, type TrialRecord } from '../study/index.js'

/** What a sampler may look at. */
export interface SamplerContext {
  /** Number of the trial to choose for. */
  readonly number: number
  readonly space: Space
  readonly directions: readonly Direction[]
  /** All trials but this one, by number, running ones included. */
  readonly trials: readonly TrialRecord[]
}

/** What a trial is to try. */
export interface Suggestion {
  readonly params: Params
  /** What the sampler wants to read again in the record of the trial. `parent` is known to the objective too. */
  readonly notes?: Readonly<Record<string, number>>
}

/**
 * Chooses parameters from what the trials before gave.
 *
 * A sampler has no state: the same seed, number and trials give the same answer, so a study that was stopped goes on as
 * if it had not been.
 */
export interface Sampler {
  readonly name: string
  /** Whether it can judge by several values. */
  readonly multiObjective?: boolean
  /** How many trials there can be at most; undefined without a limit. @throws {ConfigError} if the space does not suit. */
  limit?(space: Space): number | undefined
  /** The parameters of one trial. */
  suggest(context: SamplerContext): Suggestion
}

/** What every seeded sampler takes. */
export interface SeedOptions {
  /** Integer from 0 to 2^32 - 1. @default 0 */
  seed?: number
}

/** A generator of the numbers for one trial. */
export const randomOf = (seed: number, number: number): Random => new Random(seed, number)

/** Any allowed point, all equally likely. */
export const randomParams = (space: Space, random: Random): Params =>
  space.draw(() => space.decode(() => random.uniform()))

/** A point of the space with what it cost, less being better. */
export interface Observation {
  readonly number: number
  readonly params: Params
  readonly loss: number
}

/** What complete trials gave, by number; the first value, as a loss. */
export function observationsOf({ trials, directions }: SamplerContext): Observation[] {
  return completed(trials).map(({ number, params, values }) => ({
    number,
    params,
    loss: lossOf(values[0]!, directions[0]!),
  }))
}
