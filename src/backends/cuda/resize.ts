/** Nearest-neighbour resizing, both ways, as kernels of tfjs: what an up-sampling layer runs. @module */

import type * as tf from '@tensorflow/tfjs-core'
import { type BackendKernel, defineKernels } from '../kernels/define.js'
import type { CudaBackend } from './cuda-backend.js'
import { resizeNearest, resizeNearestGrad } from './kernels/layout.js'

interface ResizeAttributes {
  alignCorners: boolean
  halfPixelCenters?: boolean
}

const forward: BackendKernel<CudaBackend> = ({ inputs, attrs, backend }) => {
  const images = inputs.images!
  if (images.dtype !== 'float32') return undefined
  const { size, alignCorners, halfPixelCenters = false } = attrs as ResizeAttributes & { size: [number, number] }
  const [batch, , , channels] = images.shape as [number, number, number, number]
  const from = backend.pointer(images)
  const out = backend.output([batch, ...size, channels], 'float32')
  const resizing = { original: images.shape, resized: out.shape, alignCorners, halfPixelCenters }
  resizeNearest(backend.launch, from, backend.pointer(out), resizing)
  return out
}

const gradient: BackendKernel<CudaBackend> = ({ inputs, attrs, backend }) => {
  const { images, dy } = inputs as Record<'images' | 'dy', tf.TensorInfo>
  const { alignCorners, halfPixelCenters } = attrs as ResizeAttributes
  // With shifted or aligned corners tfjs spreads the gradient by a rule of its own.
  if (dy.dtype !== 'float32' || alignCorners || halfPixelCenters) return undefined
  const from = backend.pointer(dy)
  const out = backend.output(images.shape, 'float32')
  resizeNearestGrad(backend.launch, from, backend.pointer(out), { original: images.shape, resized: dy.shape })
  return out
}

export const resizeKernels = defineKernels({
  ResizeNearestNeighbor: forward,
  ResizeNearestNeighborGrad: gradient,
})
