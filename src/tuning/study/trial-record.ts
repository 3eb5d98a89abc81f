/** A trial as it is kept. @module */

import type { SerializedError } from '../../core/index.js'
import type { Params } from '../space/index.js'

/** Whether less or more of a value is better. */
export type Direction = 'minimize' | 'maximize'

/**
 * Where a trial stands. `waiting`: it was begun, its run ended before it did, and the next to ask takes it up again.
 */
export type TrialState = 'running' | 'waiting' | 'complete' | 'pruned' | 'failed'

/** A value that a trial reported on its way. */
export interface Report {
  /** How far the trial was: epochs, mostly. */
  readonly step: number
  readonly value: number
}

/** Everything that is known of a trial. */
export interface TrialRecord {
  /** From 0, in the order in which trials were begun. */
  readonly number: number
  readonly state: TrialState
  /** Undefined for a moment, while they are chosen. */
  readonly params?: Params
  /** What the sampler wants to remember of it. */
  readonly notes?: Readonly<Record<string, number>>
  /** One value per direction of the study. Of a pruned trial, the last one reported. */
  readonly values?: readonly number[]
  /** In the order of their steps. */
  readonly reports: readonly Report[]
  /** Why it failed. */
  readonly error?: SerializedError
  /** From 1; one more for each process that ended before the trial did. */
  readonly attempt: number
  /** Milliseconds since 1970. */
  readonly startedMs: number
  readonly endedMs?: number
}

/** How a trial ended. */
export type TrialOutcome =
  | { readonly state: 'complete' | 'pruned'; readonly values: readonly number[] }
  | { readonly state: 'failed'; readonly error: SerializedError }

/** A value as something to minimize. */
export const lossOf = (value: number, direction: Direction): number => (direction === 'maximize' ? -value : value)

/** The trials that went to their end. */
export function completed(
  trials: readonly TrialRecord[],
): (TrialRecord & Required<Pick<TrialRecord, 'params' | 'values'>>)[] {
  return trials.filter((trial) => trial.state === 'complete') as ReturnType<typeof completed>
}
