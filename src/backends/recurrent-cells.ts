/**
 * Lets the LSTM and GRU cells of tfjs-layers use dcml's kernels.
 *
 * A cell of tfjs runs some thirty operations a step beside its products, and some sixty for its gradient.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { gruGates, gruKernelNames, gruState, lstmGates, lstmKernelNames } from './gradients/recurrent.js'
import { hasNative } from './native-kernels.js'

/** What the fields of tfjs-layers' cells are; they are not part of its types. */
interface Cell {
  units: number
  activation: { getClassName(): string }
  recurrentActivation: { getClassName(): string }
  dropout: number
  recurrentDropout: number
  kernel: Weight<tf.Tensor2D>
  recurrentKernel: Weight<tf.Tensor2D>
  bias: Weight<tf.Tensor1D> | null
  call: Call
}
type Weight<T extends tf.Tensor> = { read(): T }
type Call = (this: Cell, inputs: tf.Tensor[], kwargs: object) => tf.Tensor[]

const corrected = new WeakSet<object>()

/** Lets the classes of `tfl.layers.lstmCell` and `gruCell`, and so `lstm` and `gru`, use the kernels. */
export function speedUpRecurrentCells(): void {
  replace(tfl.layers.lstmCell({ units: 1 }), lstmKernelNames.cell, callLstm)
  replace(tfl.layers.gruCell({ units: 1 }), gruKernelNames.gates, callGru)
}

function replace(example: object, kernelName: string, call: (cell: Cell, inputs: tf.Tensor2D[]) => tf.Tensor[]): void {
  const prototype = Object.getPrototypeOf(example) as Cell
  if (corrected.has(prototype)) return
  corrected.add(prototype)
  const original = prototype.call
  prototype.call = function (inputs, kwargs) {
    return isCovered(this, inputs) && hasNative(kernelName)
      ? tf.tidy(() => call(this, inputs as tf.Tensor2D[]))
      : original.call(this, inputs, kwargs)
  }
}

const gateNames = ['sigmoid', 'hardSigmoid']

/** Cells as they are by default. Those with dropout draw their masks in tfjs-layers, and stay there. */
const isCovered = (cell: Cell, inputs: readonly tf.Tensor[]): boolean =>
  cell.activation.getClassName() === 'tanh' &&
  gateNames.includes(cell.recurrentActivation.getClassName()) &&
  !(cell.dropout > 0 || cell.recurrentDropout > 0) &&
  inputs.every(({ rank, dtype }) => rank === 2 && dtype === 'float32')

const isHard = (cell: Cell): boolean => cell.recurrentActivation.getClassName() === 'hardSigmoid'

const product = (a: tf.Tensor2D, b: tf.Tensor2D, bias?: tf.Tensor1D): tf.Tensor2D =>
  bias ? (tf.fused.matMul({ a, b, bias }) as tf.Tensor2D) : tf.matMul(a, b)

function callLstm(cell: Cell, [x, h, carry]: tf.Tensor2D[]): tf.Tensor[] {
  const input = product(x!, cell.kernel.read(), cell.bias?.read())
  const recurrent = product(h!, cell.recurrentKernel.read())
  const [newH, newCarry] = lstmGates([input, recurrent, carry!], isHard(cell))
  return [newH, newH, newCarry]
}

function callGru(cell: Cell, [x, h]: tf.Tensor2D[]): tf.Tensor[] {
  const input = product(x!, cell.kernel.read(), cell.bias?.read())
  const { units } = cell
  const [gateKernel, stateKernel] = tf.split(cell.recurrentKernel.read(), [2 * units, units], 1) as [
    tf.Tensor2D,
    tf.Tensor2D,
  ]
  const [update, kept, candidate] = gruGates([input, product(h!, gateKernel), h!], isHard(cell))
  const newH = gruState([candidate, product(kept as tf.Tensor2D, stateKernel), update, h!])
  return [newH, newH]
}
