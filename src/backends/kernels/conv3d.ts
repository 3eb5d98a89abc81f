/**
 * Convolutions in three dimensions, both ways, as sums of convolutions in two.
 *
 * Slice d of the output is the sum, over the slices of the filter, of the convolution of one slice of the input.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import { sizeOf } from '../../core/index.js'
import type { DeviceBackend } from '../device-backend.js'
import { type BackendKernel, defineKernels } from './define.js'

interface Convolution3DAttributes {
  strides: [number, number, number] | number
  pad: 'valid' | 'same'
  dilations?: [number, number, number] | number
}

type Shape5D = [number, number, number, number, number]

function geometryOf(xShape: number[], filterShape: number[], attrs: Convolution3DAttributes) {
  const { strides, dilations, pad } = attrs
  return tf.backend_util.computeConv3DInfo(xShape as Shape5D, filterShape as Shape5D, strides, dilations ?? 1, pad)
}

type Geometry = tf.backend_util.Conv3DInfo

/** Writes the geometry of one pair of slices and returns where. */
function writeSliceGeometry(backend: DeviceBackend, info: Geometry): number {
  const { ints } = backend.heap
  const { inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, filterHeight, filterWidth } = info
  const sizes = [1, inHeight, inWidth, inChannels, outHeight, outWidth, outChannels, filterHeight, filterWidth]
  const steps = [info.strideHeight, info.strideWidth, info.dilationHeight, info.dilationWidth]
  ints.set([...sizes, ...steps, info.padInfo.top, info.padInfo.left], backend.infoPointer / 4)
  return backend.infoPointer
}

/** Calls `each` with the byte offsets of every input, output and filter slice that meet. */
function forEachSlice(info: Geometry, each: (input: number, output: number, filter: number) => void): void {
  const inputBytes = info.inHeight * info.inWidth * info.inChannels * 4
  const outputBytes = info.outHeight * info.outWidth * info.outChannels * 4
  const filterBytes = info.filterHeight * info.filterWidth * info.inChannels * info.outChannels * 4
  for (let n = 0; n < info.batchSize; n++)
    for (let out = 0; out < info.outDepth; out++)
      for (let tap = 0; tap < info.filterDepth; tap++) {
        const input = out * info.strideDepth + tap * info.dilationDepth - info.padInfo.front
        if (input < 0 || input >= info.inDepth) continue
        each((n * info.inDepth + input) * inputBytes, (n * info.outDepth + out) * outputBytes, tap * filterBytes)
      }
}

/** A zeroed result, into which slices are added by way of a range that holds one of them. */
function accumulate(
  backend: DeviceBackend,
  shape: number[],
  sliceSize: number,
  run: (add: (place: number, compute: (slice: number) => void) => void) => void,
): tf.TensorInfo {
  const out = backend.output(shape, 'float32')
  const start = backend.pointer(out)
  backend.kernels.fill(0, start, sizeOf(shape), 0)
  const slice = backend.heap.allocate(sliceSize * 4, 'float32 slice of a convolution', [sliceSize])
  run((place, compute) => {
    compute(slice)
    backend.kernels.addInto(slice, start + place, sliceSize, 1)
  })
  backend.heap.release(slice)
  return out
}

const isFloat = (a: tf.TensorInfo, b: tf.TensorInfo) => a.dtype === 'float32' && b.dtype === 'float32'

const conv3d: BackendKernel = ({ inputs, attrs, backend }) => {
  const { x, filter } = inputs as Record<'x' | 'filter', tf.TensorInfo>
  if (!isFloat(x, filter)) return undefined
  const info = geometryOf(x.shape, filter.shape, attrs)
  const [from, taps] = [backend.pointer(x), backend.pointer(filter)]
  return accumulate(backend, info.outShape, info.outHeight * info.outWidth * info.outChannels, (add) => {
    const geometry = writeSliceGeometry(backend, info)
    forEachSlice(info, (input, output, tap) =>
      add(output, (slice) => backend.kernels.conv2d(from + input, taps + tap, 0, 0, slice, geometry)),
    )
  })
}

const inputGradient: BackendKernel = ({ inputs, attrs, backend }) => {
  const { dy, filter } = inputs as Record<'dy' | 'filter', tf.TensorInfo>
  if (!isFloat(dy, filter)) return undefined
  const info = geometryOf((attrs as { inputShape: number[] }).inputShape, filter.shape, attrs)
  const [from, taps] = [backend.pointer(dy), backend.pointer(filter)]
  return accumulate(backend, info.inShape, info.inHeight * info.inWidth * info.inChannels, (add) => {
    const geometry = writeSliceGeometry(backend, info)
    forEachSlice(info, (input, output, tap) =>
      add(input, (slice) => backend.kernels.conv2dInputGrad(from + output, taps + tap, slice, geometry)),
    )
  })
}

const filterGradient: BackendKernel = ({ inputs, attrs, backend }) => {
  const { x, dy } = inputs as Record<'x' | 'dy', tf.TensorInfo>
  if (!isFloat(x, dy)) return undefined
  const { filterShape } = attrs as { filterShape: number[] }
  const info = geometryOf(x.shape, filterShape, attrs)
  const [from, gradient] = [backend.pointer(x), backend.pointer(dy)]
  return accumulate(backend, filterShape, sizeOf(filterShape.slice(1)), (add) => {
    const geometry = writeSliceGeometry(backend, info)
    forEachSlice(info, (input, output, tap) =>
      add(tap, (slice) => backend.kernels.conv2dFilterGrad(from + input, gradient + output, slice, geometry)),
    )
  })
}

export const conv3dKernels = defineKernels({
  Conv3D: conv3d,
  Conv3DBackpropInputV2: inputGradient,
  Conv3DBackpropFilterV2: filterGradient,
})
