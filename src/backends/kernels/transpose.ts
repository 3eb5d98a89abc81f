/**
 * Kernels that copy elements in another order: transpose, reverse, strided slices, tile.
 *
 * All are one strided copy, `[shape, stride of the input for each axis]`, once axes that can be walked as one are joined.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import type { DeviceBackend } from '../device-backend.js'
import { type BackendKernel, defineKernels } from './define.js'

const MAX_AXES = 6

/** Bytes of one element, or 0 for what does not lie in the memory. */
export const elementBytesOf = (dtype: tf.DataType): number =>
  dtype === 'float32' || dtype === 'int32' ? 4 : dtype === 'bool' ? 1 : 0

/**
 * Joins neighbouring axes of a strided copy and writes it as 12 int32.
 *
 * @returns Whether it fits into six axes.
 */
function writeCopy(backend: DeviceBackend, shape: number[], strides: number[]): boolean {
  const lengths: number[] = []
  const steps: number[] = []
  for (let i = 0; i < shape.length; i++) {
    const length = shape[i]!
    if (length === 1) continue
    const last = lengths.length - 1
    if (last >= 0 && steps[last] === strides[i]! * length) {
      lengths[last]! *= length
      steps[last] = strides[i]!
    } else {
      lengths.push(length)
      steps.push(strides[i]!)
    }
  }
  if (lengths.length > MAX_AXES) return false
  const { ints } = backend.heap
  const start = backend.infoPointer / 4
  const leading = MAX_AXES - lengths.length
  for (let i = 0; i < MAX_AXES; i++) {
    ints[start + i] = i < leading ? 1 : lengths[i - leading]!
    ints[start + MAX_AXES + i] = i < leading ? 0 : steps[i - leading]!
  }
  return true
}

/** Permutes axes; undefined when that is not covered. */
export function runTranspose(backend: DeviceBackend, x: tf.TensorInfo, perm: number[]): tf.TensorInfo | undefined {
  const bytes = elementBytesOf(x.dtype)
  if (bytes === 0) return undefined
  const strides = rowMajorStrides(x.shape)
  const shape = perm.map((axis) => x.shape[axis]!)
  // When only axes of length 1 change places, the elements stay where they are.
  const moved = perm.filter((axis) => x.shape[axis] !== 1)
  if (moved.every((axis, i) => i === 0 || moved[i - 1]! < axis)) return backend.share(x, shape)
  return copyStrided(backend, x, { shape, strides: perm.map((axis) => strides[axis]!), first: 0 })
}

interface StridedCopy {
  /** Shape of the result. */
  shape: number[]
  /** Element strides in the input, one per axis of `shape`; may be negative. */
  strides: number[]
  /** Element of the input at index 0 of every axis. */
  first: number
}

/** Copies a strided box into a new tensor; undefined when it has more than six axes. */
export function copyStrided(
  backend: DeviceBackend,
  x: tf.TensorInfo,
  { shape, strides, first }: StridedCopy,
): tf.TensorInfo | undefined {
  const bytes = elementBytesOf(x.dtype)
  if (bytes === 0) return undefined
  const pointer = backend.pointer(x)
  if (!writeCopy(backend, shape, strides)) return undefined
  const out = backend.output(shape, x.dtype)
  backend.kernels.stridedCopy(pointer + first * bytes, backend.pointer(out), bytes, backend.infoPointer)
  return out
}

/** Element strides of a dense tensor. */
export function rowMajorStrides(shape: number[]): number[] {
  const strides = new Array<number>(shape.length)
  let size = 1
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = size
    size *= shape[i]!
  }
  return strides
}

const transpose: BackendKernel = ({ inputs, attrs, backend }) =>
  runTranspose(backend, inputs.x!, (attrs as { perm: number[] }).perm)

const reverse: BackendKernel = ({ inputs, attrs, backend }) => {
  const x = inputs.x!
  const axes = tf.util.parseAxisParam((attrs as { dims: number | number[] }).dims, x.shape)
  const strides = rowMajorStrides(x.shape)
  let first = 0
  for (const axis of axes) {
    first += Math.max(0, x.shape[axis]! - 1) * strides[axis]!
    strides[axis] = -strides[axis]!
  }
  return copyStrided(backend, x, { shape: x.shape, strides, first })
}

const stridedSlice: BackendKernel = ({ inputs, attrs, backend }) => {
  const x = inputs.x!
  const a = attrs as tf.StridedSliceAttrs
  const { begin, end, strides, finalShape } = tf.slice_util.sliceInfo(
    x.shape,
    a.begin,
    a.end,
    a.strides,
    a.beginMask,
    a.endMask,
    a.ellipsisMask,
    a.newAxisMask,
    a.shrinkAxisMask,
  )
  const dense = rowMajorStrides(x.shape)
  const first = begin.reduce((sum, index, axis) => sum + index * dense[axis]!, 0)
  const steps = strides.map((stride, axis) => stride * dense[axis]!)
  const box = copyStrided(backend, x, {
    shape: tf.slice_util.computeOutShape(begin, end, strides),
    strides: steps,
    first,
  })
  return box && { ...box, shape: finalShape }
}

const tile: BackendKernel = ({ inputs, attrs, backend }) => {
  const x = inputs.x!
  const { reps } = attrs as { reps: number[] }
  const dense = rowMajorStrides(x.shape)
  // Each axis becomes two: the repetition, along which the input stands still, and the axis itself.
  const shape = x.shape.flatMap((length, axis) => [reps[axis]!, length])
  const strides = dense.flatMap((stride) => [0, stride])
  const out = copyStrided(backend, x, { shape, strides, first: 0 })
  return out && { ...out, shape: x.shape.map((length, axis) => length * reps[axis]!) }
}

export const transposeKernels = defineKernels({
  Transpose: transpose,
  Reverse: reverse,
  StridedSlice: stridedSlice,
  Tile: tile,
})
