/** The gradient of repeating a tensor. @module */

import * as tf from '@tensorflow/tfjs-core'

/**
 * dx is the sum of dy over the repetitions, as one reduction.
 *
 * tfjs' own adds the repetitions up one by one, thousands of kernels for a layer normalization, and stops at rank 4.
 */
export const tileGradient: tf.GradConfig = {
  kernelName: 'Tile',
  inputsToSave: ['x'],
  gradFunc: (dy, [x], attrs) => {
    const { reps } = attrs as unknown as { reps: number[] }
    const derX = () => {
      const shape: number[] = []
      const repeated: number[] = []
      x!.shape.forEach((length, axis) => {
        if (reps[axis] !== 1) repeated.push(shape.push(reps[axis]!) - 1)
        if (length !== 1) shape.push(length)
      })
      return tf.reshape(tf.sum(tf.reshape(dy as tf.Tensor, shape), repeated), x!.shape)
    }
    return { x: derX }
  },
}
