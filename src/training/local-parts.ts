/** What cannot leave the thread that calls `fit`. @module */

import type * as tf from '@tensorflow/tfjs-core'
import type * as tfl from '@tensorflow/tfjs-layers'
import type { CustomStep, LossFunction } from './batch-loss.js'

/** Live objects of the coordinator's thread. */
export interface LocalParts {
  model: tfl.LayersModel
  step?: CustomStep
  loss?: LossFunction
  /** An optimizer of tfjs instead of the one that the job describes. No other thread can receive it. */
  optimizer?: tf.Optimizer
  /** True if `model`, `step` or `loss` was given as a function, which no other thread can receive. */
  hasLiveFunctions?: boolean
}
