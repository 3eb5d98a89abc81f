/** Metrics that are computed inside a training step. @module */

import * as tf from '@tensorflow/tfjs-core'
import { meanPerExample } from './per-example.js'

/** A metric whose value is a mean over examples. */
export interface TensorMetric {
  readonly name: string
  /** True if logits will not do for the output. */
  readonly needsProbabilities: boolean
  /**
   * @param truth - Targets, `[batch, ...]`.
   * @param output - The model's output, or logits.
   * @returns Value per example, `[batch]`.
   */
  step(truth: tf.Tensor, output: tf.Tensor): tf.Tensor
}

/**
 * Share of examples whose most probable class is the true one. With a single output, logit or probability, the classes
 * are told apart at one half.
 */
export const accuracy: TensorMetric = {
  name: 'accuracy',
  needsProbabilities: true,
  step(truth, output) {
    const classes = output.shape[output.shape.length - 1]!
    if (classes === 1) {
      const predicted = tf.cast(tf.greater(output, 0.5), 'int32')
      return meanPerExample(tf.cast(tf.equal(predicted, tf.cast(tf.reshape(truth, output.shape), 'int32')), 'float32'))
    }
    const predicted = tf.argMax(output, -1)
    const actual =
      truth.rank === output.rank && truth.shape[truth.rank - 1] === classes
        ? tf.argMax(truth, -1)
        : tf.reshape(tf.cast(truth, 'int32'), predicted.shape)
    return meanPerExample(tf.cast(tf.equal(predicted, actual), 'float32'))
  },
}

/** Mean squared error. */
export const mse: TensorMetric = {
  name: 'mse',
  needsProbabilities: true,
  step: (truth, output) => meanPerExample(tf.squaredDifference(output, tf.reshape(truth, output.shape))),
}

/** Mean absolute error. */
export const mae: TensorMetric = {
  name: 'mae',
  needsProbabilities: true,
  step: (truth, output) => meanPerExample(tf.abs(tf.sub(output, tf.reshape(truth, output.shape)))),
}
