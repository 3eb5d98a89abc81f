/**
 * Pooling in two dimensions, both ways.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import { sameShape } from '../../core/index.js'
import type { DeviceBackend } from '../device-backend.js'
import { writeGeometry } from './conv.js'
import { type BackendKernel, defineKernels } from './define.js'

interface PoolAttributes {
  filterSize: [number, number] | number
  strides: [number, number] | number
  pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding
  dimRoundingMode?: 'floor' | 'round' | 'ceil'
}

function geometryOf(shape: number[], attrs: PoolAttributes): tf.backend_util.Conv2DInfo {
  const { filterSize, strides, pad, dimRoundingMode } = attrs
  const shape4D = shape as [number, number, number, number]
  return tf.backend_util.computePool2DInfo(shape4D, filterSize, strides, 1, pad, dimRoundingMode)
}

const forward =
  (isMax: boolean): BackendKernel =>
  ({ inputs, attrs, backend }) => {
    const x = inputs.x!
    if (x.dtype !== 'float32') return undefined
    const info = geometryOf(x.shape, attrs as PoolAttributes)
    // As tfjs has it: windows of one element change nothing, even where padding would move them.
    if (info.filterHeight === 1 && info.filterWidth === 1 && sameShape(info.inShape, info.outShape))
      return backend.share(x, x.shape)
    const pointer = backend.pointer(x)
    const out = backend.output(info.outShape, 'float32')
    const kernel = isMax ? backend.kernels.maxPool : backend.kernels.avgPool
    kernel(pointer, backend.pointer(out), writeGeometry(backend, info))
    return out
  }

function gradientOutput(backend: DeviceBackend, x: tf.TensorInfo): tf.TensorInfo {
  return backend.output(x.shape, 'float32')
}

const maxGradient: BackendKernel = ({ inputs, attrs, backend }) => {
  const { dy, input } = inputs as Record<'dy' | 'input', tf.TensorInfo>
  if (dy.dtype !== 'float32' || input.dtype !== 'float32') return undefined
  const info = geometryOf(input.shape, attrs as PoolAttributes)
  const [pointerX, pointerDy] = [backend.pointer(input), backend.pointer(dy)]
  const out = gradientOutput(backend, input)
  backend.kernels.maxPoolGrad(pointerX, pointerDy, backend.pointer(out), writeGeometry(backend, info))
  return out
}

const averageGradient: BackendKernel = ({ inputs, attrs, backend }) => {
  const { dy, input } = inputs as Record<'dy' | 'input', tf.TensorInfo>
  if (dy.dtype !== 'float32') return undefined
  const info = geometryOf(input.shape, attrs as PoolAttributes)
  const pointerDy = backend.pointer(dy)
  const out = gradientOutput(backend, input)
  backend.kernels.avgPoolGrad(pointerDy, backend.pointer(out), writeGeometry(backend, info))
  return out
}

export const poolKernels = defineKernels({
  MaxPool: forward(true),
  AvgPool: forward(false),
  MaxPoolGrad: maxGradient,
  AvgPoolGrad: averageGradient,
})
