/** What trackers have in common: when they are given what. @module */

import { checkWhole, withDefaults } from '../../core/index.js'
import type { Callback, EpochState, StepState } from '../callback.js'

/** What every tracker takes. */
export interface TrackerOptions {
  /** Also tells the loss and metrics of one update in so many. @default off, epochs only */
  everySteps?: number
}

/** Values at one moment of training. */
export interface Measurement {
  kind: 'epoch' | 'step'
  /** Updates made so far. */
  step: number
  /** From 0. */
  epoch: number
  /** By name: means of the epoch, or those of one update's batch. */
  values: Readonly<Record<string, number>>
}

/** Passes on what is measured, epoch by epoch and at some updates. @param kind - Name of the tracker, for messages. */
export function tracked(
  kind: string,
  options: TrackerOptions,
  hooks: Omit<Callback, 'onEpochEnd' | 'onStepEnd'> & { write(measurement: Measurement): Promise<void> },
): Callback {
  const { everySteps } = withDefaults(kind, options, { everySteps: undefined })
  if (everySteps !== undefined) checkWhole(`everySteps of ${kind}`, everySteps)
  const { write, ...rest } = hooks
  const callback: Callback = {
    ...rest,
    relaxed: true,
    async onEpochEnd({ record, step }: EpochState) {
      const { epoch, ...values } = record
      await write({ kind: 'epoch', step, epoch, values })
    },
  }
  if (everySteps === undefined) return callback
  return {
    ...callback,
    async onStepEnd({ step, epoch, logs }: StepState) {
      if (step % everySteps === 0) await write({ kind: 'step', step, epoch, values: logs })
    },
  }
}
