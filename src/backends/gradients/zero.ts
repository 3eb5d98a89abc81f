/**
 * Gradients of functions that are constant almost everywhere: comparisons and logic.
 *
 * A comparison inside `where` lies on the path from the parameters to the loss, so tfjs asks for its gradient and
 * throws when there is none. It is zero wherever it exists.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'

/** Kernels of two inputs `a` and `b` that yield bool. */
const binary = ['Equal', 'NotEqual', 'Greater', 'GreaterEqual', 'Less', 'LessEqual', 'LogicalAnd', 'LogicalOr']

/** Kernels of one input `x` that yield bool or an index. */
const unary = ['LogicalNot', 'All', 'Any', 'IsNan', 'IsInf', 'IsFinite', 'ArgMax', 'ArgMin']

const zerosOf = (x: tf.Tensor) => () => tf.zeros(x.shape)

/** One configuration per kernel; each gradient has the shape of its input, float32. */
export const zeroGradients: readonly tf.GradConfig[] = [
  ...binary.map(
    (kernelName): tf.GradConfig => ({
      kernelName,
      inputsToSave: ['a', 'b'],
      gradFunc: (_dy, [a, b]) => ({ a: zerosOf(a!), b: zerosOf(b!) }),
    }),
  ),
  ...unary.map(
    (kernelName): tf.GradConfig => ({
      kernelName,
      inputsToSave: ['x'],
      gradFunc: (_dy, [x]) => ({ x: zerosOf(x!) }),
    }),
  ),
]
