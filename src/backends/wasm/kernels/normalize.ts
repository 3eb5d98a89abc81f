/**
 * Batch normalization with given mean and variance.
 * @module
 */

import type * as tf from '@tensorflow/tfjs-core'
import { sizeOf } from '../../../core/index.js'
import { defineKernels, type WasmKernel } from './define.js'

const batchNorm: WasmKernel = ({ inputs, attrs, backend }) => {
  const { x, mean, variance, offset, scale } = inputs as Record<'x' | 'mean' | 'variance', tf.TensorInfo> &
    Record<'offset' | 'scale', tf.TensorInfo | undefined>
  const channels = x.shape.at(-1)!
  const perChannel = [mean, variance, offset, scale].every(
    (vector) => !vector || (vector.dtype === 'float32' && sizeOf(vector.shape) === channels),
  )
  if (x.dtype !== 'float32' || !perChannel) return undefined
  const { pointer, length } = backend.record(x.dataId)
  const at = (vector: tf.TensorInfo | undefined) => (vector ? backend.pointer(vector) : 0)
  const vectors = [at(mean), at(variance), at(scale), at(offset)] as const
  const out = backend.output(x.shape, 'float32')
  const rows = channels === 0 ? 0 : length / channels
  const epsilon = (attrs as { varianceEpsilon?: number }).varianceEpsilon ?? 0.001
  backend.wasm.batchNorm(pointer, ...vectors, backend.pointer(out), rows, channels, epsilon)
  return out
}

export const normalizeKernels = defineKernels({ FusedBatchNorm: batchNorm })
