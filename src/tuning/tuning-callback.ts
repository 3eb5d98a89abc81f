/** What a user hangs onto the course of a study. @module */

import type { Direction, TrialRecord } from './study/index.js'

/** What a callback may read. */
export interface TuningState {
  /** All trials so far, by number. */
  readonly trials: readonly TrialRecord[]
  /** How many there are to be. */
  readonly limit: number
  readonly directions: readonly Direction[]
}

/** Hooks, all optional. Each is awaited. */
export interface TuningCallback {
  /** After a trial was complete, pruned or failed. */
  onTrialEnd?(trial: TrialRecord, state: TuningState): void | Promise<void>
  /** After the last trial of this run, or after a stop. */
  onStudyEnd?(state: TuningState): void | Promise<void>
}
