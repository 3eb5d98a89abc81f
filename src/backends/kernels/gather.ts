/**
 * Rows by index, and sums of rows by index: what an embedding and a class index need.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import { sizeOf } from '../../core/index.js'
import { dtypeCodes } from '../wasm/exports.js'
import { type BackendKernel, defineKernels } from './define.js'
import { elementBytesOf } from './transpose.js'

const gatherV2: BackendKernel = ({ inputs, attrs, backend }) => {
  const { x, indices } = inputs as Record<'x' | 'indices', tf.TensorInfo>
  const { axis: given, batchDims } = attrs as { axis: number; batchDims: number }
  const bytes = elementBytesOf(x.dtype)
  if (bytes === 0 || indices.dtype !== 'int32') return undefined
  const axis = tf.util.parseAxisParam(given, x.shape)[0]!
  const info = tf.backend_util.segment_util.collectGatherOpShapeInfo(
    x as tf.Tensor,
    indices as tf.Tensor,
    axis,
    batchDims ?? 0,
  )
  if (info.batchSize !== 1) return undefined
  const count = sizeOf(indices.shape)
  const [pointer, indexPointer] = [backend.pointer(x), backend.pointer(indices)]
  const out = backend.output(info.outputShape, x.dtype)
  const { outerSize, dimSize, sliceSize } = info
  const rowBytes = sliceSize * bytes
  const outside = backend.kernels.gather(
    pointer,
    indexPointer,
    backend.pointer(out),
    outerSize,
    dimSize,
    count,
    rowBytes,
  )
  if (outside > 0) {
    backend.disposeData(out.dataId)
    const values = backend.readSync(indices.dataId) as Int32Array
    const wrong = values.find((index) => index < 0 || index >= dimSize)
    throw new Error(`GatherV2: the index value ${wrong} is not in [0, ${dimSize - 1}]`)
  }
  return out
}

const unsortedSegmentSum: BackendKernel = ({ inputs, attrs, backend }) => {
  const { x, segmentIds } = inputs as Record<'x' | 'segmentIds', tf.TensorInfo>
  const { numSegments } = attrs as { numSegments: number }
  if (x.dtype !== 'float32' || segmentIds.dtype !== 'int32' || segmentIds.shape.length !== 1) return undefined
  const rows = segmentIds.shape[0]!
  const inner = sizeOf(x.shape.slice(1))
  const [pointer, idPointer] = [backend.pointer(x), backend.pointer(segmentIds)]
  const out = backend.output([numSegments, ...x.shape.slice(1)], 'float32')
  backend.kernels.segmentSum(pointer, idPointer, backend.pointer(out), rows, inner, numSegments)
  return out
}

interface OneHotAttributes {
  depth: number
  onValue: number
  offValue: number
  dtype: tf.DataType
}

const oneHot: BackendKernel = ({ inputs, attrs, backend }) => {
  const indices = inputs.indices!
  const { depth, onValue, offValue, dtype } = attrs as OneHotAttributes
  if (indices.dtype !== 'int32' || (dtype !== 'float32' && dtype !== 'int32')) return undefined
  const { pointer, length } = backend.record(indices.dataId)
  const out = backend.output([...indices.shape, depth], 'float32')
  backend.kernels.oneHot(pointer, backend.pointer(out), length, depth, onValue, offValue)
  if (dtype === 'float32') return out
  const whole = backend.output(out.shape, 'int32')
  const { float32, int32 } = dtypeCodes
  backend.kernels.cast(float32, int32, backend.pointer(out), backend.pointer(whole), length * depth)
  backend.disposeData(out.dataId)
  return whole
}

export const gatherKernels = defineKernels({
  GatherV2: gatherV2,
  UnsortedSegmentSum: unsortedSegmentSum,
  OneHot: oneHot,
})
