/**
 * Sums, means, extremes and the like along axes.
 * @module
 */

import type * as tf from '@tensorflow/tfjs-core'
import type { DeviceBackend } from '../device-backend.js'
import { reduceCodes } from '../wasm/exports.js'
import { type BackendKernel, defineKernels } from './define.js'
import { type Folded, fold } from './fold.js'

interface AxisAttributes {
  axis?: number | number[]
  reductionIndices?: number | number[]
  keepDims?: boolean
}

function finish(
  backend: DeviceBackend,
  folded: Folded,
  dtype: tf.DataType,
  run: (folded: Folded, out: number) => void,
): tf.TensorInfo {
  const out = backend.output(folded.shape, dtype)
  run(folded, backend.pointer(out))
  if (folded.copy) backend.disposeData(folded.copy.dataId)
  return out
}

/** Reduces x along axes; undefined when the dtype is not covered. */
export function runReduce(
  backend: DeviceBackend,
  code: number,
  x: tf.TensorInfo,
  { axis, reductionIndices, keepDims }: AxisAttributes,
): tf.TensorInfo | undefined {
  const whole = x.dtype === 'int32' && (code === reduceCodes.sum || code === reduceCodes.prod)
  if (x.dtype !== 'float32' && !whole) return undefined
  const folded = fold(backend, x, reductionIndices ?? axis, keepDims)
  if (folded === undefined) return undefined
  const kernel = whole ? backend.kernels.reduceInt : backend.kernels.reduce
  return finish(backend, folded, whole ? 'int32' : 'float32', ({ pointer, outer, size, inner }, out) =>
    kernel(code, pointer, out, outer, size, inner),
  )
}

const reduce =
  (code: number): BackendKernel =>
  ({ inputs, attrs, backend }) =>
    runReduce(backend, code, inputs.x!, attrs)

const reduceBool =
  (isAll: number): BackendKernel =>
  ({ inputs, attrs, backend }) => {
    const x = inputs.x!
    if (x.dtype !== 'bool') return undefined
    const { axis, keepDims } = attrs as AxisAttributes
    const folded = fold(backend, x, axis, keepDims)
    return (
      folded &&
      finish(backend, folded, 'bool', ({ pointer, outer, size, inner }, out) =>
        backend.kernels.reduceBool(isAll, pointer, out, outer, size, inner),
      )
    )
  }

const argExtreme =
  (isMin: number): BackendKernel =>
  ({ inputs, attrs, backend }) => {
    const x = inputs.x!
    if (x.dtype !== 'float32') return undefined
    const folded = fold(backend, x, (attrs as AxisAttributes).axis)
    return (
      folded &&
      finish(backend, folded, 'int32', ({ pointer, outer, size, inner }, out) =>
        backend.kernels.argExtreme(isMin, pointer, out, outer, size, inner),
      )
    )
  }

const softmax: BackendKernel = ({ inputs, attrs, backend }) => {
  const logits = inputs.logits!
  if (logits.dtype !== 'float32' || (attrs as { dim: number }).dim !== logits.shape.length - 1) return undefined
  const size = logits.shape.at(-1)!
  const { pointer, length } = backend.record(logits.dataId)
  const out = backend.output(logits.shape, 'float32')
  backend.kernels.softmax(0, pointer, backend.pointer(out), size === 0 ? 0 : length / size, size)
  return out
}

export const reduceKernels = defineKernels({
  Sum: reduce(reduceCodes.sum),
  Mean: reduce(reduceCodes.mean),
  Max: reduce(reduceCodes.max),
  Min: reduce(reduceCodes.min),
  Prod: reduce(reduceCodes.prod),
})

export const truthKernels = defineKernels({
  All: reduceBool(1),
  Any: reduceBool(0),
  ArgMax: argExtreme(0),
  ArgMin: argExtreme(1),
})

export const softmaxKernels = defineKernels({ Softmax: softmax })
