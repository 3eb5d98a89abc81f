/** Stops when the monitored value no longer improves. @module */

import { ConfigError, checkWhole, didYouMean, withDefaults } from '../core/index.js'
import type { Callback } from './callback.js'
import type { EpochRecord } from './history.js'

/** Options of `earlyStopping`. */
export interface EarlyStoppingOptions {
  /** Name of the value. @default 'val_loss' */
  monitor?: string
  /** Epochs without improvement before training stops. @default 0 */
  patience?: number
  /** Smallest change that counts. @default 0 */
  minDelta?: number
  /** `'auto'`: losses and errors fall, everything else rises. @default 'auto' */
  mode?: 'min' | 'max' | 'auto'
}

/**
 * Ends training after `patience` epochs without a better value.
 *
 * @example
 * new Trainer({ ..., callbacks: [earlyStopping({ monitor: 'val_loss', patience: 3 })] })
 */
export function earlyStopping(options: EarlyStoppingOptions = {}): Callback {
  const { monitor, patience, minDelta, mode } = withDefaults('earlyStopping', options, {
    monitor: 'val_loss',
    patience: 0,
    minDelta: 0,
    mode: 'auto',
  })
  checkWhole('patience of earlyStopping', patience, 0)
  const better = comparison(monitor, mode)
  let best: number | undefined
  let waited = 0
  return {
    onFitStart() {
      best = undefined
      waited = 0
    },
    onEpochEnd({ record, stop }) {
      const value = monitored(record, monitor)
      if (best === undefined || better(value, best, minDelta)) {
        best = value
        waited = 0
      } else if (++waited > patience) {
        stop(`${monitor} has not improved for ${waited} epochs; its best was ${best}`)
      }
    },
  }
}

/** Whether `value` beats `best` by more than `minDelta`. */
export type Comparison = (value: number, best: number, minDelta?: number) => boolean

/** Which direction is better for a value, by its name unless told. */
export function comparison(monitor: string, mode: 'min' | 'max' | 'auto' = 'auto'): Comparison {
  const falls = mode === 'auto' ? /loss|error|mse|mae|rmse/i.test(monitor) : mode === 'min'
  return falls
    ? (value, best, minDelta = 0) => value < best - minDelta
    : (value, best, minDelta = 0) => value > best + minDelta
}

/** The monitored value of an epoch. */
export function monitored(record: EpochRecord, monitor: string): number {
  const value = record[monitor]
  if (value === undefined)
    throw new ConfigError(`There is no value named '${monitor}' to monitor.`, {
      expected: `one of ${Object.keys(record).join(', ')}`,
      received: monitor,
      remedy:
        didYouMean(monitor, Object.keys(record)) ??
        (monitor.startsWith('val_') ? 'Pass validation data to fit' : 'Add it to the metrics of the trainer'),
    })
  return value
}
