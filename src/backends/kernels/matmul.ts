/**
 * Products of matrices, one by one or in batches, with bias and activation.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import { sizeOf } from '../../core/index.js'
import type { DeviceBackend } from '../device-backend.js'
import { activationCodes, binaryCodes, unaryCodes } from '../wasm/exports.js'
import { runBinary } from './binary.js'
import { type BackendKernel, defineKernels } from './define.js'
import { runUnary } from './unary.js'

interface MatMulAttributes {
  transposeA: boolean
  transposeB: boolean
}

/** What may follow a product or a convolution in the same kernel. */
export interface FusedAttributes {
  activation: 'linear' | 'relu' | 'relu6' | 'sigmoid' | 'tanh' | 'elu' | 'leakyrelu' | 'prelu'
  leakyreluAlpha?: number
}

interface Product extends MatMulAttributes {
  a: tf.TensorInfo
  b: tf.TensorInfo
  /** Pointer to a bias `[n]`, 0 for none. */
  bias: number
  activation: number
}

/** Multiplies; undefined when dtypes or batch shapes are not covered. */
export function runMatMul(backend: DeviceBackend, product: Product): tf.TensorInfo | undefined {
  const { a, b, transposeA, transposeB, bias, activation } = product
  if (a.dtype !== 'float32' || b.dtype !== 'float32') return undefined
  const rankA = a.shape.length
  const rankB = b.shape.length
  const rowsA = a.shape[rankA - 2]!
  const columnsA = a.shape[rankA - 1]!
  const rowsB = b.shape[rankB - 2]!
  const columnsB = b.shape[rankB - 1]!
  const m = transposeA ? columnsA : rowsA
  const k = transposeA ? rowsA : columnsA
  const n = transposeB ? rowsB : columnsB
  const innerB = transposeB ? columnsB : rowsB
  tf.util.assert(
    k === innerB,
    () =>
      `Error in matMul: inner shapes (${k}) and (${innerB}) of Tensors with shapes ${a.shape} and ` +
      `${b.shape} and transposeA=${transposeA} and transposeB=${transposeB} must match.`,
  )
  let shape: number[]
  let batch = 1
  let batchA = 1
  let batchB = 1
  if (rankA === 2 && rankB === 2) shape = [m, n]
  else {
    const outerA = a.shape.slice(0, -2)
    const outerB = b.shape.slice(0, -2)
    const outer = tf.broadcast_util.assertAndGetBroadcastShape(outerA, outerB)
    batch = sizeOf(outer)
    batchA = sizeOf(outerA)
    batchB = sizeOf(outerB)
    // Neither whole nor a single matrix: batch axes that are broadcast one by one.
    if ((batchA !== batch && batchA !== 1) || (batchB !== batch && batchB !== 1)) return undefined
    shape = [...outer, m, n]
  }
  const pointerA = backend.pointer(a)
  const pointerB = backend.pointer(b)
  const out = backend.output(shape, 'float32')
  backend.kernels.matMul(
    pointerA,
    pointerB,
    backend.pointer(out),
    bias,
    activation,
    m,
    n,
    k,
    transposeA ? 1 : 0,
    transposeB ? 1 : 0,
    columnsA,
    columnsB,
    n,
    batch,
    batchA === 1 ? 0 : rowsA * columnsA,
    batchB === 1 ? 0 : rowsB * columnsB,
    m * n,
  )
  return out
}

const batchMatMul: BackendKernel = ({ inputs, attrs, backend }) => {
  const { transposeA, transposeB } = attrs as MatMulAttributes
  return runMatMul(backend, { a: inputs.a!, b: inputs.b!, transposeA, transposeB, bias: 0, activation: 0 })
}

const fusedMatMul: BackendKernel = ({ inputs, attrs, backend }) => {
  const { transposeA, transposeB, ...fused } = attrs as MatMulAttributes & FusedAttributes
  const { a, b, bias, preluActivationWeights } = inputs
  const columns = b!.shape.at(transposeB ? -2 : -1)!
  return finishFused(backend, { ...fused, bias, preluActivationWeights, columns }, (biasPointer, activation) =>
    runMatMul(backend, { a: a!, b: b!, transposeA, transposeB, bias: biasPointer, activation }),
  )
}

interface FusedPart extends FusedAttributes {
  bias: tf.TensorInfo | undefined
  preluActivationWeights: tf.TensorInfo | undefined
  /** Length of a bias that the kernel itself can add. */
  columns: number
}

/** Runs a kernel with the bias and activation that it can take, and what is left after it. */
export function finishFused(
  backend: DeviceBackend,
  part: FusedPart,
  run: (bias: number, activation: number) => tf.TensorInfo | undefined,
): tf.TensorInfo | undefined {
  const { bias, columns } = part
  const isVector =
    !bias || (bias.dtype === 'float32' && sizeOf(bias.shape) === columns && bias.shape.at(-1) === columns)
  const native = isVector ? (activationCodes as Record<string, number>)[part.activation] : undefined
  let out = run(bias && isVector ? backend.pointer(bias) : 0, native ?? activationCodes.linear)
  const replace = (next: tf.TensorInfo | undefined) => {
    if (out) backend.disposeData(out.dataId)
    out = next
  }
  if (out && bias && !isVector) replace(runBinary(backend, binaryCodes.add, out, bias))
  if (out && native === undefined) replace(activate(backend, part, out))
  return out
}

/** The activations that no kernel takes, or that come after a bias that it could not take. */
function activate(backend: DeviceBackend, part: FusedPart, x: tf.TensorInfo): tf.TensorInfo | undefined {
  switch (part.activation) {
    case 'linear':
      return backend.share(x, x.shape)
    case 'leakyrelu':
      return runUnary(backend, unaryCodes.leakyRelu, x, part.leakyreluAlpha)
    case 'prelu':
      return runBinary(backend, binaryCodes.prelu, x, part.preluActivationWeights!)
    case 'relu':
    case 'relu6':
    case 'sigmoid':
    case 'tanh':
    case 'elu':
      return runUnary(backend, unaryCodes[part.activation], x)
    default:
      part.activation satisfies never
      return undefined
  }
}

export const matMulKernels = defineKernels({
  BatchMatMul: batchMatMul,
  _FusedMatMul: fusedMatMul,
})
