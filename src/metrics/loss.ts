/** The contract of a loss. @module */

import type * as tf from '@tensorflow/tfjs-core'

/** How wrong a model's output is, example by example. */
export interface Loss {
  readonly name: string
  /**
   * The activation that this loss can be computed without: with a last layer of that kind, `perExample` takes what went
   * into it. Exact where the activation has rounded to 0 or 1, which tfjs' clipped form is not.
   */
  readonly fromLogits?: 'softmax' | 'sigmoid'
  /**
   * @param truth - Targets, `[batch, ...]`.
   * @param output - Logits when `fromLogits` is set, else the model's output; `[batch, ...]`.
   * @returns Loss per example, `[batch]`: the mean over all other axes.
   */
  perExample(truth: tf.Tensor, output: tf.Tensor): tf.Tensor
  /** The same from probabilities, clipped to `1e-7 .. 1 - 1e-7`; for models that end otherwise. */
  fromProbabilities?(truth: tf.Tensor, output: tf.Tensor): tf.Tensor
}
