/** Cross-entropies. @module */

import * as tf from '@tensorflow/tfjs-core'
import { softmaxCrossEntropy } from '../backends/index.js'
import type { Loss } from './loss.js'
import { meanPerExample } from './per-example.js'

const CLIP = 1e-7

/**
 * loss = -sum(truth * log softmax(logits)), in nats. Truth is one-hot (or any distribution), `[batch, classes]`.
 */
export const categoricalCrossentropy: Loss = {
  name: 'categoricalCrossentropy',
  fromLogits: 'softmax',
  perExample: (truth, logits) => meanPerExample(softmaxCrossEntropy(truth, logits)),
  fromProbabilities: (truth, output) =>
    meanPerExample(tf.neg(tf.sum(tf.mul(truth, tf.log(tf.clipByValue(output, CLIP, 1 - CLIP))), -1))),
}

/** The same for integer classes, `[batch]` or `[batch, ...]`, int32. */
export const sparseCategoricalCrossentropy: Loss = {
  name: 'sparseCategoricalCrossentropy',
  fromLogits: 'softmax',
  perExample: (truth, logits) =>
    meanPerExample(softmaxCrossEntropy(tf.reshape(truth, logits.shape.slice(0, -1)), logits)),
  fromProbabilities: (truth, output) => categoricalCrossentropy.fromProbabilities!(oneHot(truth, output), output),
}

/**
 * loss = max(z, 0) - z * truth + log(1 + exp(-|z|)) for logits z: the two-class cross-entropy, in nats, mean over the
 * outputs of an example.
 */
export const binaryCrossentropy: Loss = {
  name: 'binaryCrossentropy',
  fromLogits: 'sigmoid',
  perExample(truth, logits) {
    const target = tf.reshape(truth, logits.shape)
    return meanPerExample(
      tf.add(tf.sub(tf.relu(logits), tf.mul(logits, target)), tf.log1p(tf.exp(tf.neg(tf.abs(logits))))),
    )
  },
  fromProbabilities(truth, output) {
    const target = tf.reshape(truth, output.shape)
    const p = tf.clipByValue(output, CLIP, 1 - CLIP)
    const positive = tf.mul(target, tf.log(p))
    const negative = tf.mul(tf.sub(1, target), tf.log(tf.sub(1, p)))
    return meanPerExample(tf.neg(tf.add(positive, negative)))
  },
}

function oneHot(truth: tf.Tensor, like: tf.Tensor): tf.Tensor {
  const classes = like.shape[like.shape.length - 1]!
  const labels = tf.reshape(tf.cast(truth, 'int32'), like.shape.slice(0, -1))
  return tf.cast(tf.oneHot(labels as tf.Tensor1D, classes), 'float32')
}
