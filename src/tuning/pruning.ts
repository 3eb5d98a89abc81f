/** Reports of a training to a trial. @module */

import { withDefaults } from '../core/index.js'
import { type Callback, monitored } from '../training/index.js'
import type { Trial } from './trial.js'

/**
 * A callback that reports each epoch to a trial, and ends the training when the scheduler gives it up.
 *
 * @param options - `monitor`: name of the value; default 'val_loss'.
 * @example
 * const trainer = new Trainer({ ..., callbacks: [pruning(trial, { monitor: 'val_accuracy' })] })
 */
export function pruning(
  trial: Pick<Trial, 'number' | 'report' | 'shouldPrune'>,
  options: { monitor?: string } = {},
): Callback {
  const { monitor } = withDefaults('pruning', options, { monitor: 'val_loss' })
  return {
    async onEpochEnd({ record, stop }) {
      await trial.report(record.epoch + 1, monitored(record, monitor))
      if (trial.shouldPrune) stop(`trial ${trial.number} was pruned after epoch ${record.epoch + 1}`)
    },
  }
}
