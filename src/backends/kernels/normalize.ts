/**
 * Normalization with given mean and variance: per channel in one kernel, otherwise composed.
 * @module
 */

import type * as tf from '@tensorflow/tfjs-core'
import { sizeOf } from '../../core/index.js'
import { batchNormTrainingGradKernelName, batchNormTrainingKernelName } from '../batch-norm.js'
import type { DeviceBackend } from '../device-backend.js'
import { binaryCodes, unaryCodes } from '../wasm/exports.js'
import { runBinary } from './binary.js'
import { type BackendKernel, defineKernels } from './define.js'
import { runUnary } from './unary.js'

const batchNorm: BackendKernel = ({ inputs, attrs, backend }) => {
  const { x, mean, variance, offset, scale } = inputs as Record<'x' | 'mean' | 'variance', tf.TensorInfo> &
    Record<'offset' | 'scale', tf.TensorInfo | undefined>
  const channels = x.shape.at(-1)!
  const perChannel = [mean, variance, offset, scale].every(
    (vector) => !vector || (vector.dtype === 'float32' && sizeOf(vector.shape) === channels),
  )
  if (x.dtype !== 'float32') return undefined
  const epsilon = (attrs as { varianceEpsilon?: number }).varianceEpsilon ?? 0.001
  // Layer normalization has a mean and a variance for each row.
  if (!perChannel) return composed(backend, [x, mean, variance], { offset, scale, epsilon })
  const { pointer, length } = backend.record(x.dataId)
  const at = (vector: tf.TensorInfo | undefined) => (vector ? backend.pointer(vector) : 0)
  const vectors = [at(mean), at(variance), at(scale), at(offset)] as const
  const out = backend.output(x.shape, 'float32')
  const rows = channels === 0 ? 0 : length / channels
  backend.kernels.batchNorm(pointer, ...vectors, backend.pointer(out), rows, channels, epsilon)
  return out
}

interface Rest {
  offset: tf.TensorInfo | undefined
  scale: tf.TensorInfo | undefined
  epsilon: number
}

/** (x - mean) * 1 / sqrt(variance + epsilon) * scale + offset, each with broadcasting. */
function composed(
  backend: DeviceBackend,
  [x, mean, variance]: [tf.TensorInfo, tf.TensorInfo, tf.TensorInfo],
  { offset, scale, epsilon }: Rest,
): tf.TensorInfo | undefined {
  const others = [mean, variance, offset, scale]
  const fits = (vector: tf.TensorInfo | undefined) => !vector || vector.dtype === 'float32'
  if (!others.every(fits)) return undefined
  const steps: (tf.TensorInfo | undefined)[] = [runUnary(backend, unaryCodes.affine, variance, 1, epsilon)]
  const then = (next: tf.TensorInfo | undefined) => {
    steps.push(next)
    return next
  }
  const root = then(runUnary(backend, unaryCodes.rsqrt, steps[0]!))!
  let out = then(runBinary(backend, binaryCodes.sub, x, mean))
  out &&= then(runBinary(backend, binaryCodes.mul, out, root))
  if (scale) out &&= then(runBinary(backend, binaryCodes.mul, out, scale))
  if (offset) out &&= then(runBinary(backend, binaryCodes.add, out, offset))
  for (const step of steps) if (step && step !== out) backend.disposeData(step.dataId)
  return out
}

const batchNormTraining: BackendKernel = ({ inputs, attrs, backend }) => {
  const { x, scale, offset } = inputs as Record<'x' | 'scale' | 'offset', tf.TensorInfo>
  const channels = x.shape.at(-1)!
  const rows = sizeOf(x.shape.slice(0, -1))
  const from = [x, scale, offset].map((tensor) => backend.pointer(tensor)) as [number, number, number]
  const made = [x.shape, [channels], [channels]].map((shape) => backend.output(shape, 'float32'))
  const to = made.map((tensor) => backend.pointer(tensor)) as [number, number, number]
  backend.kernels.batchNormTraining(...from, ...to, rows, channels, (attrs as { epsilon: number }).epsilon)
  return made
}

const batchNormTrainingGrad: BackendKernel = ({ inputs, attrs, backend }) => {
  const { dy, x, scale, mean, variance } = inputs as Record<'dy' | 'x' | 'scale' | 'mean' | 'variance', tf.TensorInfo>
  const channels = x.shape.at(-1)!
  const rows = sizeOf(x.shape.slice(0, -1))
  const from = [dy, x, scale, mean, variance].map((tensor) => backend.pointer(tensor))
  const made = [x.shape, [channels], [channels]].map((shape) => backend.output(shape, 'float32'))
  const to = made.map((tensor) => backend.pointer(tensor)) as [number, number, number]
  const { epsilon } = attrs as { epsilon: number }
  const at = from as [number, number, number, number, number]
  backend.kernels.batchNormTrainingGrad(...at, ...to, rows, channels, epsilon)
  return made
}

export const normalizeKernels = defineKernels({
  FusedBatchNorm: batchNorm,
  [batchNormTrainingKernelName]: batchNormTraining,
  [batchNormTrainingGradKernelName]: batchNormTrainingGrad,
})
