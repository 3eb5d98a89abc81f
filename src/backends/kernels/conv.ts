/**
 * Convolutions in two dimensions, plain and depthwise, both ways.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import { sameShape } from '../../core/index.js'
import type { DeviceBackend } from '../device-backend.js'
import { type BackendKernel, defineKernels } from './define.js'
import { type FusedAttributes, finishFused } from './matmul.js'

type Pair = [number, number] | number

/** Attributes that the tfjs kernels share. */
interface ConvolutionAttributes {
  strides: Pair
  pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding
  dataFormat?: 'NHWC' | 'NCHW'
  dilations?: Pair
  dimRoundingMode?: 'floor' | 'round' | 'ceil'
}

type Shape4D = [number, number, number, number]

function geometryOf(
  xShape: number[],
  filterShape: number[],
  attrs: ConvolutionAttributes,
  depthwise: boolean,
): tf.backend_util.Conv2DInfo | undefined {
  if (attrs.dataFormat === 'NCHW') return undefined
  const { strides, dilations, pad, dimRoundingMode } = attrs
  return tf.backend_util.computeConv2DInfo(
    xShape as Shape4D,
    filterShape as Shape4D,
    strides,
    dilations ?? 1,
    pad,
    dimRoundingMode,
    depthwise,
  )
}

/** Writes what a convolution or pool looks like, 15 int32, and returns where. */
export function writeGeometry(backend: DeviceBackend, info: tf.backend_util.Conv2DInfo): number {
  const { ints } = backend.heap
  const i = backend.infoPointer / 4
  ints[i] = info.batchSize
  ints[i + 1] = info.inHeight
  ints[i + 2] = info.inWidth
  ints[i + 3] = info.inChannels
  ints[i + 4] = info.outHeight
  ints[i + 5] = info.outWidth
  ints[i + 6] = info.outChannels
  ints[i + 7] = info.filterHeight
  ints[i + 8] = info.filterWidth
  ints[i + 9] = info.strideHeight
  ints[i + 10] = info.strideWidth
  ints[i + 11] = info.dilationHeight
  ints[i + 12] = info.dilationWidth
  ints[i + 13] = info.padInfo.top
  ints[i + 14] = info.padInfo.left
  return backend.infoPointer
}

const isFloat = (a: tf.TensorInfo, b: tf.TensorInfo) => a.dtype === 'float32' && b.dtype === 'float32'

const forward =
  (depthwise: boolean): BackendKernel =>
  ({ inputs, attrs, backend }) => {
    const { x, filter, bias, preluActivationWeights } = inputs as Record<'x' | 'filter', tf.TensorInfo> &
      Record<string, tf.TensorInfo | undefined>
    if (!isFloat(x, filter)) return undefined
    const { activation = 'linear', leakyreluAlpha = 0, ...rest } = attrs as ConvolutionAttributes & FusedAttributes
    const info = geometryOf(x.shape, filter.shape, rest, depthwise)
    if (info === undefined) return undefined
    const part = { activation, leakyreluAlpha, bias, preluActivationWeights, columns: info.outChannels }
    const kernel = depthwise ? backend.kernels.depthwiseConv2d : backend.kernels.conv2d
    return finishFused(backend, part, (biasPointer, code) => {
      const [pointerX, pointerFilter] = [backend.pointer(x), backend.pointer(filter)]
      const out = backend.output(info.outShape, 'float32')
      kernel(pointerX, pointerFilter, biasPointer, code, backend.pointer(out), writeGeometry(backend, info))
      return out
    })
  }

const inputGradient =
  (depthwise: boolean): BackendKernel =>
  ({ inputs, attrs, backend }) => {
    const { dy, filter } = inputs as Record<'dy' | 'filter', tf.TensorInfo>
    if (!isFloat(dy, filter)) return undefined
    const { inputShape, ...rest } = attrs as ConvolutionAttributes & { inputShape: number[] }
    const info = geometryOf(inputShape, filter.shape, rest, depthwise)
    // A transposed convolution may ask for another size than the forward one would give.
    if (info === undefined || !sameShape(dy.shape, info.outShape)) return undefined
    const [pointerDy, pointerFilter] = [backend.pointer(dy), backend.pointer(filter)]
    const out = backend.output(info.inShape, 'float32')
    const kernel = depthwise ? backend.kernels.depthwiseConv2dInputGrad : backend.kernels.conv2dInputGrad
    kernel(pointerDy, pointerFilter, backend.pointer(out), writeGeometry(backend, info))
    return out
  }

const filterGradient =
  (depthwise: boolean): BackendKernel =>
  ({ inputs, attrs, backend }) => {
    const { x, dy } = inputs as Record<'x' | 'dy', tf.TensorInfo>
    if (!isFloat(x, dy)) return undefined
    const { filterShape, ...rest } = attrs as ConvolutionAttributes & { filterShape: number[] }
    const info = geometryOf(x.shape, filterShape, rest, depthwise)
    if (info === undefined || !sameShape(dy.shape, info.outShape)) return undefined
    const [pointerX, pointerDy] = [backend.pointer(x), backend.pointer(dy)]
    const out = backend.output(filterShape, 'float32')
    const kernel = depthwise ? backend.kernels.depthwiseConv2dFilterGrad : backend.kernels.conv2dFilterGrad
    kernel(pointerX, pointerDy, backend.pointer(out), writeGeometry(backend, info))
    return out
  }

export const convKernels = defineKernels({
  Conv2D: forward(false),
  FusedConv2D: forward(false),
  Conv2DBackpropInput: inputGradient(false),
  Conv2DBackpropFilter: filterGradient(false),
})

export const depthwiseKernels = defineKernels({
  DepthwiseConv2dNative: forward(true),
  FusedDepthwiseConv2D: forward(true),
  DepthwiseConv2dNativeBackpropInput: inputGradient(true),
  DepthwiseConv2dNativeBackpropFilter: filterGradient(true),
})
