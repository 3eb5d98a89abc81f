/**
 * Lets the batch normalization of tfjs-layers use dcml's kernels while it trains.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { batchNormTraining, batchNormTrainingKernelName } from './batch-norm.js'
import { hasNative } from './native-kernels.js'

/** What the fields of tfjs-layers' BatchNormalization are; they are not part of its types. */
interface BatchNormalization {
  axis: number
  epsilon: number
  momentum: number
  gamma?: Weight
  beta?: Weight
  movingMean: Weight
  movingVariance: Weight
  call: Call
}
interface Weight {
  read(): tf.Tensor
  write(value: tf.Tensor): void
}
type Call = (this: BatchNormalization, inputs: tf.Tensor | tf.Tensor[], kwargs: { training?: boolean }) => tf.Tensor

const corrected = new WeakSet<object>()

/** Lets the class of `tfl.layers.batchNormalization` use the kernels; cheap when called again. */
export function speedUpBatchNormalization(): void {
  const prototype = Object.getPrototypeOf(tfl.layers.batchNormalization()) as BatchNormalization
  if (corrected.has(prototype)) return
  corrected.add(prototype)
  const original = prototype.call
  prototype.call = function (inputs, kwargs) {
    const x = (Array.isArray(inputs) ? inputs[0] : inputs)!
    const { axis, gamma, beta } = this
    const isLastAxis = axis === -1 || axis === x.rank - 1
    const isCovered = kwargs.training && isLastAxis && gamma && beta && x.dtype === 'float32'
    if (!isCovered || !hasNative(batchNormTrainingKernelName)) return original.call(this, inputs, kwargs)
    return tf.tidy(() => {
      const [y, mean, variance] = batchNormTraining([x, gamma.read(), beta.read()], this.epsilon)
      move(this.movingMean, mean, this.momentum)
      move(this.movingVariance, variance, this.momentum)
      return y
    })
  }
}

/** In the words of tfjs-layers: moving - (moving - value) * (1 - momentum). */
function move(moving: Weight, value: tf.Tensor, momentum: number): void {
  const before = moving.read()
  moving.write(tf.sub(before, tf.mul(tf.sub(before, value), 1 - momentum)))
}
