/**
 * Resizing pictures, both ways: what an up-sampling layer runs.
 *
 * A place of the result is a weighted sum of a run of places along each axis. The weights are worked out here, in float64
 * and by the rules of tfjs, so that kernels round no place by themselves. A gradient has the same ones turned round, also
 * where corners are shifted, which tfjs' own gradients do not heed.
 * @module
 */

import type * as tf from '@tensorflow/tfjs-core'
import { sizeOf } from '../../core/index.js'
import { type BackendKernel, defineKernels } from './define.js'

interface ResizeAttributes {
  /** `[height, width]`; gradients have that of dy. */
  size: [number, number]
  alignCorners: boolean
  halfPixelCenters?: boolean
}

/** What a place along an axis is made of: places of the other picture from `first` on, and the weight of each. */
interface Taps {
  first: number
  readonly weights: number[]
}

interface Rule extends Omit<ResizeAttributes, 'size'> {
  isBilinear: boolean
}

/** For each of `to` places those of the original, which has `from`. */
function tapsOf(from: number, to: number, { isBilinear, alignCorners, halfPixelCenters = false }: Rule): Taps[] {
  const scale = alignCorners && to > 1 ? (from - 1) / (to - 1) : from / to
  const shift = halfPixelCenters ? 0.5 : 0
  const round = isBilinear ? (at: number) => at - shift : alignCorners ? Math.round : Math.floor
  return Array.from({ length: to }, (_, i) => {
    const place = Math.max(0, Math.min(from - 1, round(scale * (i + shift))))
    const first = Math.floor(place)
    const share = place - first
    return { first, weights: share > 0 ? [1 - share, share] : [1] }
  })
}

/** For each of `size` places of the original those that show it: a run, too, for places go up with those they show. */
function turnRound(shown: readonly Taps[], size: number): Taps[] {
  const turned = Array.from({ length: size }, (): Taps => ({ first: 0, weights: [] }))
  shown.forEach(({ first, weights }, i) => {
    weights.forEach((weight, tap) => {
      const taps = turned[first + tap]!
      if (taps.weights.length === 0) taps.first = i
      taps.weights.push(weight)
    })
  })
  return turned
}

/** Taps as `resize` of wasm/exports.ts reads them. */
function tableOf(taps: readonly Taps[]): Int32Array {
  let end = 3 * taps.length
  const table = new Int32Array(taps.reduce((sum, { weights }) => sum + weights.length, end))
  const floats = new Float32Array(table.buffer)
  taps.forEach(({ first, weights }, i) => {
    table.set([first, weights.length, end], 3 * i)
    floats.set(weights, end)
    end += weights.length
  })
  return table
}

const kernel =
  (isBilinear: boolean): BackendKernel =>
  ({ inputs, attrs, backend }) => {
    const { images, dy } = inputs as { images: tf.TensorInfo; dy?: tf.TensorInfo }
    const { size, ...corners } = attrs as ResizeAttributes
    const rule = { ...corners, isBilinear }
    if (images.dtype !== 'float32' || (dy ?? images).dtype !== 'float32' || sizeOf(images.shape) === 0) return undefined
    const [batch, height, width, channels] = images.shape as [number, number, number, number]
    const [newHeight, newWidth] = dy ? (dy.shape.slice(1, 3) as [number, number]) : size
    const rows = tapsOf(height, newHeight, rule)
    const columns = tapsOf(width, newWidth, rule)
    const from = backend.pointer(dy ?? images)
    const out = backend.output(dy ? images.shape : [batch, newHeight, newWidth, channels], 'float32')
    const table = tableOf(dy ? [...turnRound(rows, height), ...turnRound(columns, width)] : [...rows, ...columns])
    const taps = backend.makeTensorInfo([table.length], 'int32', table)
    const to = backend.pointer(out)
    if (dy) backend.kernels.resize(from, backend.pointer(taps), to, batch, newHeight, newWidth, channels, height, width)
    else backend.kernels.resize(from, backend.pointer(taps), to, batch, height, width, channels, newHeight, newWidth)
    backend.disposeData(taps.dataId)
    return out
  }

export const resizeKernels = defineKernels({
  ResizeNearestNeighbor: kernel(false),
  ResizeNearestNeighborGrad: kernel(false),
  ResizeBilinear: kernel(true),
  ResizeBilinearGrad: kernel(true),
})
