/**
 * Gradients of functions that only move elements.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'

/** dy goes back to the places that were read; the others get 0. */
export const stridedSliceGradient: tf.GradConfig = {
  kernelName: 'StridedSlice',
  inputsToSave: ['x'],
  gradFunc: (dy, saved, attrs) => {
    const [x] = saved as [tf.Tensor]
    return { x: () => unslice(dy as tf.Tensor, x.shape, attrs as unknown as tf.StridedSliceAttrs) }
  },
}

function unslice(dy: tf.Tensor, shape: number[], attrs: tf.StridedSliceAttrs): tf.Tensor {
  const { begin, end, strides } = tf.slice_util.sliceInfo(
    shape,
    attrs.begin,
    attrs.end,
    attrs.strides,
    attrs.beginMask,
    attrs.endMask,
    attrs.ellipsisMask,
    attrs.newAxisMask,
    attrs.shrinkAxisMask,
  )
  // With new axes and dropped axes undone, dy has one axis per axis of x.
  const counts = tf.slice_util.computeOutShape(begin, end, strides)
  if (counts.includes(0)) return tf.zeros(shape)
  let spread = tf.reshape(dy, counts)
  for (let axis = 0; axis < shape.length; axis++) {
    const stride = strides[axis]!
    const first = stride > 0 ? begin[axis]! : begin[axis]! + (counts[axis]! - 1) * stride
    if (stride < 0) spread = tf.reverse(spread, axis)
    spread = spreadAxis(spread, { axis, step: Math.abs(stride), first, length: shape[axis]! })
  }
  return spread
}

interface Spread {
  axis: number
  step: number
  first: number
  length: number
}

/** Puts the elements of one axis at `first`, `first + step`, ... of a longer axis of zeros. */
function spreadAxis(x: tf.Tensor, { axis, step, first, length }: Spread): tf.Tensor {
  const count = x.shape[axis]!
  if (step === 1 && count === length) return x
  const outer = x.shape.slice(0, axis).reduce((size, n) => size * n, 1)
  const inner = x.shape.slice(axis + 1).reduce((size, n) => size * n, 1)
  const apart = tf.pad(tf.reshape(x, [outer, count, 1, inner]), [
    [0, 0],
    [0, 0],
    [0, step - 1],
    [0, 0],
  ])
  // The zeros after the last element may reach over the end of the axis.
  const used = (count - 1) * step + 1
  const run = tf.slice(tf.reshape(apart, [outer, count * step, inner]), [0, 0, 0], [outer, used, inner])
  const whole = tf.pad(run, [
    [0, 0],
    [first, length - first - used],
    [0, 0],
  ])
  return tf.reshape(whole, [...x.shape.slice(0, axis), length, ...x.shape.slice(axis + 1)])
}

/** Blocks of channels that became pixels become channels again. */
export const depthToSpaceGradient: tf.GradConfig = {
  kernelName: 'DepthToSpace',
  inputsToSave: ['x'],
  gradFunc: (dy, saved, attrs) => {
    const [x] = saved as [tf.Tensor4D]
    const { blockSize, dataFormat } = attrs as unknown as { blockSize: number; dataFormat: 'NHWC' | 'NCHW' }
    return {
      x: () => {
        const last = dataFormat === 'NHWC'
        const pixels = last ? (dy as tf.Tensor) : tf.transpose(dy as tf.Tensor, [0, 2, 3, 1])
        const [batch, height, width, channels] = pixels.shape as [number, number, number, number]
        const [rows, columns] = [height / blockSize, width / blockSize]
        const blocks = tf.reshape(pixels, [batch, rows, blockSize, columns, blockSize, channels])
        const depth = tf.reshape(tf.transpose(blocks, [0, 1, 3, 2, 4, 5]), [
          batch,
          rows,
          columns,
          blockSize * blockSize * channels,
        ])
        return tf.reshape(last ? depth : tf.transpose(depth, [0, 3, 1, 2]), x.shape)
      },
    }
  },
}

/** Of one part alone tfjs makes no list, which its own gradient then does not take: a recurrent layer of one step. */
export const unpackGradient: tf.GradConfig = {
  kernelName: tf.Unpack,
  gradFunc: (dy, _saved, attrs) => ({
    value: () => tf.stack(Array.isArray(dy) ? dy : [dy], (attrs as { axis: number }).axis),
  }),
}
