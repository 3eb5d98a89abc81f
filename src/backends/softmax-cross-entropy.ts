/**
 * Cross-entropy of logits as one kernel, its gradient as another.
 *
 * dcml-wasm has both natively; every other backend composes them of tfjs' operations.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import { ShapeError } from '../core/index.js'
import { hasNative, runNative } from './native-kernels.js'

/** Names of the kernels in tfjs. */
export const crossEntropyKernelName = 'DcmlSoftmaxCrossEntropy'
export const crossEntropyGradKernelName = 'DcmlSoftmaxCrossEntropyGrad'

/**
 * loss = -sum(truth * log softmax(logits)) over the last axis, in nats.
 *
 * @param truth - Any distribution, `[..., classes]`, or classes as numbers, `[...]`; a class outside `0 .. classes - 1`
 *   is none and gives a loss of 0.
 * @param logits - float32, `[..., classes]`.
 * @returns float32, `[...]`. The caller disposes it.
 * @throws {ShapeError} if the truth has another number of elements.
 */
export function softmaxCrossEntropy(truth: tf.Tensor, logits: tf.Tensor): tf.Tensor {
  const isSparse = truth.rank < logits.rank
  const shape = isSparse ? logits.shape.slice(0, -1) : logits.shape
  if (truth.size !== tf.util.sizeFromShape(shape))
    throw new ShapeError('The truth does not match the logits.', {
      expected: `[${logits.shape}] or [${logits.shape.slice(0, -1)}]`,
      received: `[${truth.shape}]`,
      remedy: 'Give one distribution, or one class, for each row of logits',
    })
  return tf.tidy(() => {
    const target = tf.cast(tf.reshape(truth, shape), isSparse ? 'int32' : 'float32')
    if (hasNative(crossEntropyKernelName)) return runNative(crossEntropyKernelName, { truth: target, logits })
    return composed(isSparse ? oneHot(target, logits) : target, logits)
  })
}

/** dLogits = (softmax(logits) * sum(truth) - truth) * dy. */
export const crossEntropyGradient: tf.GradConfig = {
  kernelName: crossEntropyKernelName,
  inputsToSave: ['truth', 'logits'],
  gradFunc: (dy, saved) => {
    const [truth, logits] = saved as [tf.Tensor, tf.Tensor]
    return {
      logits: () => runNative(crossEntropyGradKernelName, { dy: dy as tf.Tensor, truth, logits }),
      truth: () => tf.neg(tf.mul(tf.logSoftmax(logits), tf.expandDims(dy as tf.Tensor, -1))),
    }
  },
}

const composed = tf.customGrad((...args) => {
  const [truth, logits, save] = args as unknown as [tf.Tensor, tf.Tensor, tf.GradSaveFunc]
  // Inputs alone are saved: a gradient of the gradient follows what is computed from them, and nothing else.
  save([truth, logits])
  return {
    value: tf.neg(tf.sum(tf.mul(truth, tf.logSoftmax(logits)), -1)),
    gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [target, scores] = saved as [tf.Tensor, tf.Tensor]
      const logP = tf.logSoftmax(scores)
      const scale = tf.expandDims(dy, -1)
      const total = tf.sum(target, -1, true)
      return [tf.neg(tf.mul(logP, scale)), tf.mul(tf.sub(tf.mul(tf.exp(logP), total), target), scale)]
    },
  }
})

const oneHot = (labels: tf.Tensor, logits: tf.Tensor): tf.Tensor =>
  tf.cast(tf.oneHot(labels as tf.Tensor1D, logits.shape.at(-1)!), 'float32')
