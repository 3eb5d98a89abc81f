/**
 * Running sums and products. In JavaScript: each element waits for the one before it, so SIMD has little to give.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import { sizeOf } from '../../../core/index.js'
import { defineKernels, type WasmKernel } from './define.js'

interface CumulativeAttributes {
  axis: number
  exclusive: boolean
  reverse: boolean
}

const cumulative =
  (isProduct: boolean): WasmKernel =>
  ({ inputs, attrs, backend }) => {
    const x = inputs.x!
    if (x.dtype !== 'float32' && x.dtype !== 'int32') return undefined
    const { axis: given, exclusive, reverse } = attrs as CumulativeAttributes
    const axis = tf.util.parseAxisParam(given, x.shape)[0] ?? 0
    const size = x.shape[axis] ?? 1
    const inner = sizeOf(x.shape.slice(axis + 1))
    const outer = sizeOf(x.shape.slice(0, axis))
    const from = backend.pointer(x) / 4
    const out = backend.output(x.shape, x.dtype)
    const to = backend.pointer(out) / 4
    const memory = x.dtype === 'int32' ? backend.heap.ints : backend.heap.floats
    const step = reverse ? -inner : inner
    for (let o = 0; o < outer; o++)
      for (let i = 0; i < inner; i++) {
        let at = o * size * inner + i + (reverse ? (size - 1) * inner : 0)
        let value = isProduct ? 1 : 0
        for (let s = 0; s < size; s++, at += step) {
          const element = memory[from + at]!
          const next = isProduct ? value * element : value + element
          memory[to + at] = exclusive ? value : next
          value = next
        }
      }
    return out
  }

export const cumulativeKernels = defineKernels({ Cumsum: cumulative(false), Cumprod: cumulative(true) })
