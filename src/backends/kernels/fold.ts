/**
 * A tensor seen as `[outer, size, inner]` around the axes that a kernel works along.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import { sizeOf } from '../../core/index.js'
import type { DeviceBackend } from '../device-backend.js'
import { runTranspose } from './transpose.js'

/** Where a reduction's input lies, and the shape of its result. */
export interface Folded {
  pointer: number
  outer: number
  size: number
  inner: number
  /** Reduced axes left out, or 1 when they are kept. */
  shape: number[]
  /** A transposed copy that the caller disposes after use. */
  copy: tf.TensorInfo | undefined
}

/** Folds x around some of its axes; axes that are not neighbours are brought to the end first. */
export function fold(
  backend: DeviceBackend,
  x: tf.TensorInfo,
  axis: number | number[] | undefined,
  keepDims = false,
): Folded | undefined {
  const axes = tf.util.parseAxisParam(axis as number | number[], x.shape).sort((a, b) => a - b)
  const shape = x.shape.flatMap((length, i) => (axes.includes(i) ? (keepDims ? [1] : []) : [length]))
  const real = axes.filter((i) => x.shape[i] !== 1)
  const first = real[0] ?? 0
  const last = real.at(-1) ?? -1
  const between = x.shape.slice(first, last + 1)
  const isBlock = between.every((length, i) => length === 1 || real.includes(first + i))
  if (isBlock) {
    const outer = sizeOf(x.shape.slice(0, first))
    const inner = sizeOf(x.shape.slice(last + 1))
    return { pointer: backend.pointer(x), outer, size: sizeOf(between), inner, shape, copy: undefined }
  }
  const rest = x.shape.map((_, i) => i).filter((i) => !axes.includes(i))
  const copy = runTranspose(backend, x, [...rest, ...axes])
  if (copy === undefined) return undefined
  const size = sizeOf(axes.map((i) => x.shape[i]!))
  return { pointer: backend.pointer(copy), outer: sizeOf(rest.map((i) => x.shape[i]!)), size, inner: 1, shape, copy }
}
