/** Callbacks: what a user hangs onto the course of training. @module */

import type * as tfl from '@tensorflow/tfjs-layers'
import type { EpochRecord, History } from './history.js'
import type { StepRecord } from './job.js'

/** What a callback may read, and its brake. */
export interface FitState {
  readonly model: tfl.LayersModel
  /** Number of the epoch, from 0. */
  readonly epoch: number
  readonly epochs: number
  /** Updates made so far. */
  readonly step: number
  /** Updates in one epoch; undefined for a stream of unknown length. */
  readonly stepsPerEpoch: number | undefined
  readonly history: History
  /** Values of the step that ended: means over the global batch. */
  readonly logs: Readonly<Record<string, number>>
  /** Mean loss of the step that ended. */
  readonly loss: number
  /** Ends training; `reason` is kept in the history. */
  stop(reason?: string): void
  /** Reads weights, optimizer slots and position: what a checkpoint holds. */
  snapshot(): Promise<Uint8Array>
}

/** State at the end of an epoch. */
export interface EpochState extends FitState {
  /** The epoch's means, with `val_` values when there is validation. */
  readonly record: EpochRecord
}

/** State at the end of a step. */
export interface StepState extends FitState {
  readonly record: StepRecord
}

/** Hooks, all optional. Each is awaited before training goes on. */
export interface Callback {
  /**
   * `onStepEnd` may be called for several steps at once, some milliseconds late. Faster; wrong for a callback that
   * reads the model or stops training at an exact step.
   *
   * @default false
   */
  readonly relaxed?: boolean
  /** Before the first epoch, after a resume. */
  onFitStart?(state: FitState): void | Promise<void>
  /** Before the first step of an epoch. */
  onEpochStart?(state: FitState): void | Promise<void>
  /** After each update. */
  onStepEnd?(state: StepState): void | Promise<void>
  /** After each epoch and its validation. */
  onEpochEnd?(state: EpochState): void | Promise<void>
  /** After the validation of an epoch. */
  onValidationEnd?(state: EpochState): void | Promise<void>
  /** When `fit` is about to throw. */
  onException?(error: unknown, state: FitState): void | Promise<void>
  /** After the last epoch, or after a stop. */
  onFitEnd?(state: FitState): void | Promise<void>
}
