/**
 * Gradients of running sums and products.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'

interface CumulativeAttributes {
  axis: number
  exclusive: boolean
  reverse: boolean
}

/**
 * y_i = x_0 + ... + x_i, so dx_i = dy_i + ... + dy_n: the running sum from the other end.
 *
 * tfjs' own permutes the axes of the result once more, which is wrong unless the axis is the last.
 */
export const cumsumGradient: tf.GradConfig = {
  kernelName: 'Cumsum',
  gradFunc: (dy, _saved, attrs) => {
    const { axis, exclusive, reverse } = attrs as unknown as CumulativeAttributes
    return { x: () => tf.cumsum(dy as tf.Tensor, axis, exclusive, !reverse) }
  },
}

/** dx_i = (sum over j that include i of dy_j y_j) / x_i; as in PyTorch without its path for zeros, so x must not hold 0. */
export const cumprodGradient: tf.GradConfig = {
  kernelName: 'Cumprod',
  inputsToSave: ['x'],
  outputsToSave: [true],
  gradFunc: (dy, [x, y], attrs) => {
    const { axis, exclusive, reverse } = attrs as unknown as CumulativeAttributes
    return { x: () => tf.div(tf.cumsum(tf.mul(dy as tf.Tensor, y!), axis, exclusive, !reverse), x!) }
  },
}
