/** What a step leaves for the history. @module */

import { NumericError } from '../core/index.js'
import type { StepRecord } from './job.js'

/** @param totals - Sums over rows: loss, weight, then each metric. */
export function recordOf(step: number, [loss, weight, ...metrics]: Float32Array): StepRecord {
  return { step, loss: loss!, weight: weight!, metrics }
}

/** @throws {NumericError} if the loss is not a finite number. */
export function checkLoss({ step, loss }: StepRecord): void {
  if (!Number.isFinite(loss))
    throw new NumericError(`The loss of step ${step} is not a finite number.`, {
      received: loss,
      remedy: 'Lower the learning rate, set clipNorm, or look for such values in the data',
    })
}
