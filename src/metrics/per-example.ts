/** From a value per output to a value per example. @module */

import * as tf from '@tensorflow/tfjs-core'

/** The mean over all axes but the first: `[batch, ...]` to `[batch]`. */
export function meanPerExample(values: tf.Tensor): tf.Tensor {
  if (values.rank <= 1) return values
  return tf.mean(values, values.shape.map((_, axis) => axis).slice(1))
}
