/**
 * Pooling in three dimensions, both ways: over height and width first, then over depth.
 *
 * The largest of the largest is the largest, and the first of them, too. An average is the average of averages, as every
 * plane of a window has as many elements inside.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import { sizeOf } from '../../core/index.js'
import type { DeviceBackend } from '../device-backend.js'
import { type BackendKernel, defineKernels } from './define.js'

interface Pool3DAttributes {
  filterSize: [number, number, number] | number
  strides: [number, number, number] | number
  pad: 'valid' | 'same' | number
  dimRoundingMode?: 'floor' | 'round' | 'ceil'
}

function geometryOf(shape: number[], attrs: Pool3DAttributes): tf.backend_util.Conv3DInfo {
  const { filterSize, strides, pad, dimRoundingMode } = attrs
  const shape5D = shape as [number, number, number, number, number]
  return tf.backend_util.computePool3DInfo(shape5D, filterSize, strides, 1, pad, dimRoundingMode)
}

/** The geometries of the two steps, as exports.ts describes them; the first leaves `between` elements. */
function stepsOf(info: tf.backend_util.Conv3DInfo) {
  const { batchSize, inDepth, inHeight, inWidth, inChannels, outDepth, outHeight, outWidth } = info
  const plane = outHeight * outWidth
  const { front, top, left } = info.padInfo
  return {
    between: [batchSize, inDepth, outHeight, outWidth, inChannels],
    planes: [
      ...[batchSize * inDepth, inHeight, inWidth, inChannels, outHeight, outWidth, inChannels],
      ...[info.filterHeight, info.filterWidth, info.strideHeight, info.strideWidth, 1, 1, top, left],
    ],
    depths: [
      ...[batchSize, inDepth, plane, inChannels, outDepth, plane, inChannels],
      ...[info.filterDepth, 1, info.strideDepth, 1, 1, 1, front, 0],
    ],
  }
}

function write(backend: DeviceBackend, geometry: readonly number[]): number {
  backend.heap.ints.set(geometry, backend.infoPointer / 4)
  return backend.infoPointer
}

/** Runs a function with a range of a shape that nobody needs after it. */
function withRange(backend: DeviceBackend, shape: number[], run: (pointer: number) => void): void {
  const pointer = backend.heap.allocate(sizeOf(shape) * 4, 'pooled planes', shape)
  run(pointer)
  backend.heap.release(pointer)
}

const forward =
  (name: 'maxPool' | 'avgPool'): BackendKernel =>
  ({ inputs, attrs, backend }) => {
    const x = inputs.x!
    if (x.dtype !== 'float32') return undefined
    const info = geometryOf(x.shape, attrs as Pool3DAttributes)
    const { between, planes, depths } = stepsOf(info)
    const pointer = backend.pointer(x)
    const out = backend.output(info.outShape, 'float32')
    withRange(backend, between, (pooled) => {
      backend.kernels[name](pointer, pooled, write(backend, planes))
      backend.kernels[name](pooled, backend.pointer(out), write(backend, depths))
    })
    return out
  }

const maxGradient: BackendKernel = ({ inputs, attrs, backend }) => {
  const { dy, input } = inputs as Record<'dy' | 'input', tf.TensorInfo>
  if (dy.dtype !== 'float32' || input.dtype !== 'float32') return undefined
  const { between, planes, depths } = stepsOf(geometryOf(input.shape, attrs as Pool3DAttributes))
  const [x, gradient] = [backend.pointer(input), backend.pointer(dy)]
  const out = backend.output(input.shape, 'float32')
  withRange(backend, between, (pooled) =>
    withRange(backend, between, (pooledGradient) => {
      backend.kernels.maxPool(x, pooled, write(backend, planes))
      backend.kernels.maxPoolGrad(pooled, gradient, pooledGradient, write(backend, depths))
      backend.kernels.maxPoolGrad(x, pooledGradient, backend.pointer(out), write(backend, planes))
    }),
  )
  return out
}

const averageGradient: BackendKernel = ({ inputs, attrs, backend }) => {
  const { dy, input } = inputs as Record<'dy' | 'input', tf.TensorInfo>
  if (dy.dtype !== 'float32') return undefined
  const { between, planes, depths } = stepsOf(geometryOf(input.shape, attrs as Pool3DAttributes))
  const gradient = backend.pointer(dy)
  const out = backend.output(input.shape, 'float32')
  withRange(backend, between, (pooledGradient) => {
    backend.kernels.avgPoolGrad(gradient, pooledGradient, write(backend, depths))
    backend.kernels.avgPoolGrad(pooledGradient, backend.pointer(out), write(backend, planes))
  })
  return out
}

export const pool3dKernels = defineKernels({
  MaxPool3D: forward('maxPool'),
  AvgPool3D: forward('avgPool'),
  MaxPool3DGrad: maxGradient,
  AvgPool3DGrad: averageGradient,
})
