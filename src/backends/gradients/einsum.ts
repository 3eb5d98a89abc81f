/**
 * The gradient of `tf.einsum`.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import { ShapeError } from '../../core/index.js'

/**
 * For `C = einsum('ab,bc->ac', A, B)` the gradient of A is `einsum('ac,bc->ab', dC, B)`: the output takes the place of
 * the operand. A label that only this operand has was summed over, so its gradient is the same along that axis.
 */
export const einsumGradient: tf.GradConfig = {
  kernelName: 'Einsum',
  saveAllInputs: true,
  gradFunc: (dy, saved, attrs) => {
    const { operands, output } = parse(attrs.equation as string)
    const gradients: Record<string, () => tf.Tensor> = {}
    for (let i = 0; i < saved.length; i++) {
      gradients[i] = () => operandGradient(dy as tf.Tensor, saved as tf.Tensor[], { operands, output, index: i })
    }
    return gradients
  },
}

interface Operand {
  operands: readonly string[]
  output: string
  index: number
}

function operandGradient(dy: tf.Tensor, tensors: tf.Tensor[], { operands, output, index }: Operand): tf.Tensor {
  const labels = [...operands[index]!]
  const otherLabels = operands.filter((_, i) => i !== index)
  const others = tensors.filter((_, i) => i !== index)
  const known = new Set([...output, ...otherLabels.join('')])
  const kept = labels.filter((label) => known.has(label))
  const equation = `${[output, ...otherLabels].join(',')}->${kept.join('')}`
  const partial = tf.einsum(equation, dy, ...others)
  if (kept.length === labels.length) return partial
  const shape = tensors[index]!.shape
  const thin = shape.map((length, axis) => (known.has(labels[axis]!) ? length : 1))
  return tf.broadcastTo(tf.reshape(partial, thin), shape)
}

function parse(equation: string): { operands: string[]; output: string } {
  const [left, right] = equation.replace(/\s/g, '').split('->')
  if (left === undefined || right === undefined)
    throw new ShapeError('An einsum equation has no arrow.', { expected: "such as 'ab,bc->ac'", received: equation })
  return { operands: left.split(','), output: right }
}
