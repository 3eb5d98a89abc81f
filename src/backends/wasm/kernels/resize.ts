/**
 * Nearest-neighbour resizing, both ways: what an up-sampling layer runs. In JavaScript: it only copies pixels.
 * @module
 */

import type * as tf from '@tensorflow/tfjs-core'
import { sizeOf } from '../../../core/index.js'
import { type BackendKernel, defineKernels } from '../../kernels/define.js'
import type { DcmlWasmBackend } from '../wasm-backend.js'

interface ResizeAttributes {
  alignCorners: boolean
  halfPixelCenters?: boolean
}

/** For each pixel of the larger grid along one axis, the pixel of the original that it shows. */
function sources(from: number, to: number, { alignCorners, halfPixelCenters }: ResizeAttributes): Int32Array {
  const scale = alignCorners && to > 1 ? (from - 1) / (to - 1) : from / to
  return Int32Array.from({ length: to }, (_, i) => {
    const place = scale * (halfPixelCenters ? i + 0.5 : i)
    const index = alignCorners ? Math.round(place) : Math.floor(place)
    return Math.max(0, Math.min(from - 1, index))
  })
}

/** Calls `each` with the first element of every pixel of the resized image and of the pixel that it shows. */
function forEachPixel(
  original: number[],
  resized: number[],
  attrs: ResizeAttributes,
  each: (resizedAt: number, originalAt: number) => void,
): void {
  const [batch, height, width, channels] = original as [number, number, number, number]
  const [, newHeight, newWidth] = resized as [number, number, number, number]
  const rows = sources(height, newHeight, attrs)
  const columns = sources(width, newWidth, attrs)
  let at = 0
  for (let n = 0; n < batch; n++)
    for (const row of rows)
      for (const column of columns) {
        each(at, ((n * height + row) * width + column) * channels)
        at += channels
      }
}

const forward: BackendKernel<DcmlWasmBackend> = ({ inputs, attrs, backend }) => {
  const images = inputs.images!
  if (images.dtype !== 'float32') return undefined
  const { size, ...rest } = attrs as ResizeAttributes & { size: [number, number] }
  const [batch, , , channels] = images.shape as [number, number, number, number]
  const [from, out, to] = ranges(backend, images, [batch, ...size, channels])
  const { floats } = backend.heap
  forEachPixel(images.shape, out.shape, rest, (at, original) => {
    for (let c = 0; c < channels; c++) floats[to + at + c] = floats[from + original + c]!
  })
  return out
}

const gradient: BackendKernel<DcmlWasmBackend> = ({ inputs, attrs, backend }) => {
  const { images, dy } = inputs as Record<'images' | 'dy', tf.TensorInfo>
  const rest = attrs as ResizeAttributes
  // With shifted or aligned corners tfjs spreads the gradient by a rule of its own.
  if (dy.dtype !== 'float32' || rest.alignCorners || rest.halfPixelCenters) return undefined
  const channels = images.shape[3]!
  const [from, out, to] = ranges(backend, dy, images.shape)
  const { floats } = backend.heap
  floats.fill(0, to, to + sizeOf(out.shape))
  forEachPixel(images.shape, dy.shape, rest, (at, original) => {
    for (let c = 0; c < channels; c++) floats[to + original + c]! += floats[from + at + c]!
  })
  return out
}

/** First elements of the input and of a new output. */
function ranges(backend: DcmlWasmBackend, x: tf.TensorInfo, shape: number[]): [number, tf.TensorInfo, number] {
  const from = backend.pointer(x) / 4
  const out = backend.output(shape, 'float32')
  return [from, out, backend.pointer(out) / 4]
}

export const resizeKernels = defineKernels({
  ResizeNearestNeighbor: forward,
  ResizeNearestNeighborGrad: gradient,
})
