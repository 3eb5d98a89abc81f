/**
 * Gradients of functions that pick or place elements by index: what was read is written back, and the reverse.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'

/** y = params[indices]: dy is added to where it came from; an index that occurs twice receives both. */
export const gatherNdGradient: tf.GradConfig = {
  kernelName: 'GatherNd',
  inputsToSave: ['params', 'indices'],
  gradFunc: (dy, saved) => {
    const [params, indices] = saved as [tf.Tensor, tf.Tensor]
    return {
      params: () => tf.scatterND(indices as tf.Tensor<tf.Rank>, dy as tf.Tensor, params.shape),
      indices: () => tf.zeros(indices.shape),
    }
  },
}

/** y[indices] += updates: each update receives the gradient of the place it went to. */
export const scatterNdGradient: tf.GradConfig = {
  kernelName: 'ScatterNd',
  inputsToSave: ['indices'],
  gradFunc: (dy, saved) => {
    const [indices] = saved as [tf.Tensor]
    return {
      updates: () => tf.gatherND(dy as tf.Tensor, indices),
      indices: () => tf.zeros(indices.shape),
    }
  },
}

/** The k largest values along the last axis: their gradients go to where they stood. */
export const topKGradient: tf.GradConfig = {
  kernelName: 'TopK',
  inputsToSave: ['x'],
  outputsToSave: [false, true],
  gradFunc: (dys, saved) => {
    const [x, indices] = saved as [tf.Tensor, tf.Tensor]
    // Outputs are (values, indices); the second has no gradient of its own.
    const dy = (dys as tf.Tensor[])[0]!
    return {
      x: () => {
        const classes = x.shape.at(-1)!
        const chosen = tf.oneHot(tf.cast(indices, 'int32'), classes)
        return tf.sum(tf.mul(tf.cast(chosen, 'float32'), tf.expandDims(dy, -1)), -2)
      },
    }
  },
}
