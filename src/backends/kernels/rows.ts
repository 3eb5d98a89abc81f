/**
 * Kernels that copy runs of bytes: slice, concatenate, stack, split, pad.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import { sizeOf } from '../../core/index.js'
import type { DeviceBackend } from '../device-backend.js'
import { type BackendKernel, defineKernels } from './define.js'
import { copyStrided, elementBytesOf, rowMajorStrides } from './transpose.js'

const slice: BackendKernel = ({ inputs, attrs, backend }) => {
  const x = inputs.x!
  const { begin, size } = attrs as { begin: number | number[]; size: number | number[] }
  const [starts, lengths] = tf.slice_util.parseSliceParams(x, begin, size) as [number[], number[]]
  tf.slice_util.assertParamsValid(x, starts, lengths)
  return runSlice(backend, x, starts, lengths)
}

function runSlice(
  backend: DeviceBackend,
  x: tf.TensorInfo,
  starts: number[],
  lengths: number[],
): tf.TensorInfo | undefined {
  const bytes = elementBytesOf(x.dtype)
  if (bytes === 0) return undefined
  let cut = -1
  let cuts = 0
  for (let axis = 0; axis < lengths.length; axis++) {
    if (lengths[axis] === x.shape[axis]) continue
    cut = axis
    cuts++
  }
  if (cuts === 0) return backend.share(x, lengths)
  if (cuts > 1) {
    const strides = rowMajorStrides(x.shape)
    const first = starts.reduce((sum, start, axis) => sum + start * strides[axis]!, 0)
    return copyStrided(backend, x, { shape: lengths, strides, first })
  }
  const inner = sizeOf(x.shape.slice(cut + 1)) * bytes
  const outer = sizeOf(x.shape.slice(0, cut))
  const pointer = backend.pointer(x)
  const out = backend.output(lengths, x.dtype)
  const rowBytes = lengths[cut]! * inner
  const pitch = x.shape[cut]! * inner
  backend.kernels.copyRows(pointer + starts[cut]! * inner, backend.pointer(out), outer, rowBytes, pitch, rowBytes)
  return out
}

/** Puts tensors next to each other; their sizes before `axis` agree. `shape` is that of the result. */
function join(
  backend: DeviceBackend,
  tensors: tf.TensorInfo[],
  outer: number,
  shape: number[],
): tf.TensorInfo | undefined {
  const { dtype } = tensors[0]!
  const bytes = elementBytesOf(dtype)
  if (bytes === 0 || tensors.some((tensor) => tensor.dtype !== dtype)) return undefined
  const out = backend.output(shape, dtype)
  const pitch = outer === 0 ? 0 : (sizeOf(shape) / outer) * bytes
  let place = backend.pointer(out)
  for (const tensor of tensors) {
    const rowBytes = outer === 0 ? 0 : (sizeOf(tensor.shape) / outer) * bytes
    backend.kernels.copyRows(backend.pointer(tensor), place, outer, rowBytes, rowBytes, pitch)
    place += rowBytes
  }
  return out
}

const concat: BackendKernel = ({ inputs, attrs, backend }) => {
  const tensors = inputs as unknown as tf.TensorInfo[]
  const axis = tf.util.parseAxisParam((attrs as { axis: number }).axis, tensors[0]!.shape)[0]!
  const shapes = tensors.map(({ shape }) => shape)
  tf.backend_util.assertParamsConsistent(shapes, axis)
  const shape = tf.backend_util.computeOutShape(shapes, axis)
  const filled = tensors.filter((tensor) => sizeOf(tensor.shape) > 0)
  if (filled.length === 1) return backend.share(filled[0]!, shape)
  return join(backend, filled.length === 0 ? tensors : filled, sizeOf(shape.slice(0, axis)), shape)
}

const pack: BackendKernel = ({ inputs, attrs, backend }) => {
  const tensors = inputs as unknown as tf.TensorInfo[]
  const { axis } = attrs as { axis: number }
  const first = tensors[0]!
  for (const { shape, dtype } of tensors) {
    tf.util.assertShapesMatch(first.shape, shape, 'All tensors passed to stack must have matching shapes')
    tf.util.assert(first.dtype === dtype, () => 'All tensors passed to stack must have matching dtypes')
  }
  const shape = first.shape.slice()
  shape.splice(axis, 0, tensors.length)
  return join(backend, tensors, sizeOf(first.shape.slice(0, axis)), shape)
}

/** Cuts x along an axis into pieces; `shapeOf` tells the shape of the piece of a length. */
function cut(
  backend: DeviceBackend,
  x: tf.TensorInfo,
  axis: number,
  pieces: { length: number; shape: number[] }[],
): tf.TensorInfo[] | undefined {
  const bytes = elementBytesOf(x.dtype)
  if (bytes === 0) return undefined
  const outer = sizeOf(x.shape.slice(0, axis))
  const inner = sizeOf(x.shape.slice(axis + 1)) * bytes
  const pitch = x.shape[axis]! * inner
  let place = backend.pointer(x)
  return pieces.map(({ length, shape }) => {
    const out = backend.output(shape, x.dtype)
    const rowBytes = length * inner
    backend.kernels.copyRows(place, backend.pointer(out), outer, rowBytes, pitch, rowBytes)
    place += rowBytes
    return out
  })
}

const unpack: BackendKernel = ({ inputs, attrs, backend }) => {
  const x = inputs.value!
  const given = (attrs as { axis: number }).axis
  const axis = given < 0 ? given + x.shape.length : given
  const shape = x.shape.filter((_, i) => i !== axis)
  return cut(
    backend,
    x,
    axis,
    Array.from({ length: x.shape[axis]! }, () => ({ length: 1, shape: shape.slice() })),
  )
}

const split: BackendKernel = ({ inputs, attrs, backend }) => {
  const x = inputs.x!
  const { numOrSizeSplits, axis: given } = attrs as { numOrSizeSplits: number | number[]; axis: number }
  const axis = tf.util.parseAxisParam(given, x.shape)[0]!
  const lengths = tf.backend_util.prepareSplitSize(x as tf.Tensor, numOrSizeSplits, axis)
  const pieceOf = (length: number) => ({ length, shape: x.shape.map((n, i) => (i === axis ? length : n)) })
  return cut(backend, x, axis, lengths.map(pieceOf))
}

const pad: BackendKernel = ({ inputs, attrs, backend }) => {
  const x = inputs.x!
  const { paddings, constantValue } = attrs as { paddings: [number, number][]; constantValue: number }
  const rank = x.shape.length
  if (x.dtype !== 'float32' || rank > 6) return undefined
  const pointer = backend.pointer(x)
  const out = backend.output(
    x.shape.map((length, axis) => paddings[axis]![0] + length + paddings[axis]![1]),
    x.dtype,
  )
  const { ints } = backend.heap
  const start = backend.infoPointer / 4
  for (let i = 0; i < 6; i++) {
    const axis = i - (6 - rank)
    ints[start + i] = axis < 0 ? 1 : x.shape[axis]!
    ints[start + 6 + i] = axis < 0 ? 0 : paddings[axis]![0]
    ints[start + 12 + i] = axis < 0 ? 0 : paddings[axis]![1]
  }
  backend.kernels.pad(pointer, backend.pointer(out), constantValue, backend.infoPointer)
  return out
}

export const rowKernels = defineKernels({
  Slice: slice,
  Concat: concat,
  Pack: pack,
  Unpack: unpack,
  SplitV: split,
})

export const padKernels = defineKernels({ PadV2: pad })
