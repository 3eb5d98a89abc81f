/**
 * Gradients of gradients through operations whose gradient is made of their result.
 *
 * tfjs keeps the result of such an operation for its gradient, but forgets that it depends on the input: the gradient of
 * a gradient throws, or lacks a term without a word. Where one is taken, the input is kept too and the result computed
 * again. tf.logSoftmax has its gradient in the operation itself, where no registration reaches it.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import { isGradientRepeated } from '../native-kernels.js'

interface Operation {
  /** Name of the input in tfjs. */
  input: string
  /** The operation itself. */
  run: (x: tf.Tensor, attrs: tf.NamedAttrMap) => tf.Tensor
}

const operations: Record<string, Operation> = {
  [tf.Exp]: { input: 'x', run: tf.exp },
  [tf.Sigmoid]: { input: 'x', run: tf.sigmoid },
  [tf.Tanh]: { input: 'x', run: tf.tanh },
  [tf.Softmax]: { input: 'logits', run: (x, { dim }) => tf.softmax(x, dim as number) },
}

const made = new Map<string, tf.GradConfig>()

/** The gradients of those operations, made from tfjs' own, which must be registered. */
export const repeatedGradients = (): tf.GradConfig[] =>
  Object.entries(operations).map(([kernelName, operation]) => {
    const known = made.get(kernelName)
    if (known) return known
    const config = repeated(kernelName, operation)
    made.set(kernelName, config)
    return config
  })

function repeated(kernelName: string, { input, run }: Operation): tf.GradConfig {
  const { gradFunc } = tf.getGradient(kernelName)!
  return {
    kernelName,
    get inputsToSave() {
      return isGradientRepeated() ? [input] : []
    },
    outputsToSave: [true],
    gradFunc(dy, saved, attrs) {
      const [first, result] = saved as [tf.Tensor, tf.Tensor | undefined]
      return gradFunc(dy, [result ? run(first, attrs) : first], attrs)
    },
  }
}
