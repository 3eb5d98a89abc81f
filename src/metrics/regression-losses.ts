/** Losses on real numbers. @module */

import * as tf from '@tensorflow/tfjs-core'
import type { Loss } from './loss.js'
import { meanPerExample } from './per-example.js'

const likeOutput = (truth: tf.Tensor, output: tf.Tensor) => tf.reshape(truth, output.shape)

/** loss = (output - truth)^2 */
export const meanSquaredError: Loss = {
  name: 'meanSquaredError',
  perExample: (truth, output) => meanPerExample(tf.squaredDifference(output, likeOutput(truth, output))),
}

/** loss = |output - truth| */
export const meanAbsoluteError: Loss = {
  name: 'meanAbsoluteError',
  perExample: (truth, output) => meanPerExample(tf.abs(tf.sub(output, likeOutput(truth, output)))),
}

/**
 * loss = e^2 / 2 where |e| <= 1, else |e| - 1/2
 *
 * @see Huber 1964, https://doi.org/10.1214/aoms/1177703732
 */
export const huber: Loss = {
  name: 'huber',
  perExample(truth, output) {
    const error = tf.abs(tf.sub(output, likeOutput(truth, output)))
    const quadratic = tf.minimum(error, 1)
    return meanPerExample(tf.add(tf.mul(0.5, tf.square(quadratic)), tf.sub(error, quadratic)))
  },
}
