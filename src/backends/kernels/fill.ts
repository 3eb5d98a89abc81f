/**
 * Constant tensors, conversions between dtypes, and choice by condition.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import { sizeOf } from '../../core/index.js'
import type { DeviceBackend } from '../device-backend.js'
import { dtypeCodes } from '../wasm/exports.js'
import { type BackendKernel, defineKernels } from './define.js'
import { elementBytesOf } from './transpose.js'

const codeOf = (dtype: tf.DataType): number | undefined => (dtypeCodes as Partial<Record<tf.DataType, number>>)[dtype]

function runFill(backend: DeviceBackend, shape: number[], dtype: tf.DataType, value: number) {
  const code = codeOf(dtype)
  if (code === undefined) return undefined
  const out = backend.output(shape, dtype)
  const { pointer, length } = backend.record(out.dataId)
  backend.kernels.fill(code, pointer, length, value)
  return out
}

const fill: BackendKernel = ({ attrs, backend }) => {
  const { shape, value, dtype } = attrs as { shape: number[]; value: number | string; dtype?: tf.DataType }
  if (typeof value === 'string') return undefined
  return runFill(backend, shape, dtype ?? 'float32', value)
}

const like =
  (value: number): BackendKernel =>
  ({ inputs: { x }, backend }) =>
    runFill(backend, x!.shape, x!.dtype, value)

const cast: BackendKernel = ({ inputs, attrs, backend }) => {
  const x = inputs.x!
  const { dtype } = attrs as { dtype: tf.DataType }
  if (dtype === x.dtype) return backend.share(x, x.shape)
  const from = codeOf(x.dtype)
  const to = codeOf(dtype)
  if (from === undefined || to === undefined) return undefined
  const { pointer, length } = backend.record(x.dataId)
  const out = backend.output(x.shape, dtype)
  backend.kernels.cast(from, to, pointer, backend.pointer(out), length)
  return out
}

const select: BackendKernel = ({ inputs, backend }) => {
  const { condition, t, e } = inputs as Record<'condition' | 't' | 'e', tf.TensorInfo>
  const bytes = elementBytesOf(t.dtype)
  if (bytes === 0 || t.dtype !== e.dtype || condition.dtype !== 'bool') return undefined
  const n = sizeOf(condition.shape)
  const inner = n === 0 ? 0 : sizeOf(t.shape) / n
  const [pointerC, pointerT, pointerE] = [backend.pointer(condition), backend.pointer(t), backend.pointer(e)]
  const out = backend.output(t.shape, t.dtype)
  backend.kernels.select(pointerC, pointerT, pointerE, backend.pointer(out), n, inner, bytes)
  return out
}

/** Few numbers, and the same at every step: they are written rather than computed. */
const range: BackendKernel = ({ attrs, backend }) => {
  const { start, stop, step, dtype } = attrs as Record<'start' | 'stop' | 'step', number> & {
    dtype: 'float32' | 'int32'
  }
  // As tfjs has it: a step of 1 turns round by itself.
  const stride = stop < start && step === 1 ? -1 : step
  const length = Math.max(0, Math.ceil((stop - start) / stride))
  const values = tf.util.makeZerosTypedArray(length, dtype)
  for (let i = 0; i < length; i++) values[i] = i === 0 ? start : values[i - 1]! + stride
  return backend.makeTensorInfo([length], dtype, values)
}

export const fillKernels = defineKernels({
  Range: range,
  Fill: fill,
  ZerosLike: like(0),
  OnesLike: like(1),
  Cast: cast,
  Select: select,
})
