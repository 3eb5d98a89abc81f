/** Running sums and products. @module */

import * as tf from '@tensorflow/tfjs-core'
import { sizeOf } from '../../core/index.js'
import { dtypeCodes } from '../wasm/exports.js'
import { type BackendKernel, defineKernels } from './define.js'

interface CumulativeAttributes {
  axis: number
  exclusive: boolean
  reverse: boolean
}

const cumulative =
  (isProduct: boolean): BackendKernel =>
  ({ inputs, attrs, backend }) => {
    const x = inputs.x!
    if (x.dtype !== 'float32' && x.dtype !== 'int32') return undefined
    const { axis: given, exclusive, reverse } = attrs as CumulativeAttributes
    const axis = tf.util.parseAxisParam(given, x.shape)[0] ?? 0
    const size = x.shape[axis] ?? 1
    const inner = sizeOf(x.shape.slice(axis + 1))
    const outer = sizeOf(x.shape.slice(0, axis))
    const pointer = backend.pointer(x)
    const out = backend.output(x.shape, x.dtype)
    const target = backend.pointer(out)
    const { kernels } = backend
    const dtype = dtypeCodes[x.dtype]
    kernels.cumulative(+isProduct, dtype, pointer, target, outer, size, inner, +exclusive, +reverse)
    return out
  }

export const cumulativeKernels = defineKernels({ Cumsum: cumulative(false), Cumprod: cumulative(true) })
