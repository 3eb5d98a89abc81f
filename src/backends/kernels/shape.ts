/**
 * Kernels that give the same data another shape, without copying.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import { sizeOf } from '../../core/index.js'
import { type BackendKernel, defineKernels } from './define.js'

const identity: BackendKernel = ({ inputs: { x }, backend }) => backend.share(x!, x!.shape)

const reshape: BackendKernel = ({ inputs, attrs, backend }) => {
  const x = inputs.x!
  const size = sizeOf(x.shape)
  const shape = tf.util.inferFromImplicitShape((attrs as { shape: number[] }).shape, size)
  tf.util.assert(
    size === sizeOf(shape),
    () => `new shape: ${shape}, old shape: ${x.shape}. New shape and old shape must have the same number of elements.`,
  )
  return backend.share(x, shape)
}

const expandDims: BackendKernel = ({ inputs, attrs, backend }) => {
  const x = inputs.input!
  const { dim } = attrs as { dim: number }
  const rank = x.shape.length
  tf.util.assert(-(rank + 1) <= dim && dim <= rank, () => `Axis must be in the interval [${-(rank + 1)}, ${rank}]`)
  const shape = x.shape.slice()
  shape.splice(dim < 0 ? rank + dim + 1 : dim, 0, 1)
  return backend.share(x, shape)
}

export const shapeKernels = defineKernels({ Identity: identity, Reshape: reshape, ExpandDims: expandDims })
