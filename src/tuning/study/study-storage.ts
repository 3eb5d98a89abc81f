/** The contract of what keeps studies. @module */

import type { ParameterValue, Params } from '../space/index.js'
import type { Direction, TrialOutcome, TrialRecord } from './trial-record.js'

/** What all who work on a study must agree on. */
export interface StudyDescription {
  readonly name: string
  readonly directions: readonly Direction[]
  /** The search space as plain data. */
  readonly space: ParameterValue
}

/** Keeps studies by name. */
export interface StudyStorage {
  /**
   * Opens a study, making it where there is none of this name.
   *
   * @throws {ConfigError} if there is one with other directions or another space.
   * @throws {StorageError} if it cannot be read or written.
   */
  open(description: StudyDescription): Promise<StudyLog>
}

/**
 * A study as one of those who work on it sees it. Each change is whole and lasts once its promise resolves; several
 * workers may make them at once.
 */
export interface StudyLog {
  /** All trials, by number. */
  trials(): Promise<readonly TrialRecord[]>
  /**
   * Takes up a trial that nobody works on any more, the oldest first; else begins a new one, as long as there are
   * fewer than `limit` in all. Undefined when there is nothing to do.
   */
  begin(limit: number): Promise<TrialRecord | undefined>
  /** Writes what a trial just begun is to try. Does nothing to one that another worker took up since. */
  describe(number: number, params: Params, notes?: Readonly<Record<string, number>>): Promise<void>
  /**
   * Adds a value on the way; the later one of the same step counts.
   *
   * @throws {StateError} if another worker took the trial up since.
   */
  report(number: number, step: number, value: number): Promise<void>
  /** Ends a trial. Does nothing to one that has ended or that another worker took up. */
  finish(number: number, outcome: TrialOutcome): Promise<void>
  /** Gives a trial back unfinished, to be taken up again. Does nothing to one that another worker took up. */
  release(number: number): Promise<void>
  /** Milliseconds between two calls of `renew`; undefined where it does nothing. */
  readonly renewMs?: number
  /** Tells that these trials are being worked on. */
  renew(numbers: readonly number[]): Promise<void>
  /** Gives back what the log holds. */
  close(): Promise<void>
}

/** How often a trial is begun before it counts as failed: one that ends its process would end every process. */
export const MOST_ATTEMPTS = 3
