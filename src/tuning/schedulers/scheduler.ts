/** The contract of what ends trials early. @module */

import { type Direction, lossOf, type Report, type TrialRecord } from '../study/index.js'

/** What a scheduler may look at. */
export interface SchedulerContext {
  /** The trial that just reported. */
  readonly trial: TrialRecord
  /** The reports of that trial before the last one end at this step; undefined when there was none. */
  readonly previousStep: number | undefined
  /** All trials, that one included. */
  readonly trials: readonly TrialRecord[]
  readonly direction: Direction
}

/** Decides after each report of a trial whether it goes on. It has no state: what it needs stands in the trials. */
export interface Scheduler {
  readonly name: string
  /** Whether the trial is to end now. */
  shouldPrune(context: SchedulerContext): boolean
}

/** The value that a trial had on reaching a step; undefined before. */
export function reportAt({ reports }: TrialRecord, step: number): Report | undefined {
  return reports.find((report) => report.step >= step)
}

/** The least loss that a trial reported. */
export const bestLoss = ({ reports }: TrialRecord, direction: Direction): number =>
  Math.min(...reports.map(({ value }) => lossOf(value, direction)))
