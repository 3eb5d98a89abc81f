/**
 * The native form of `DcmlLayerNorm` and its gradients; ../../layer-norm.ts says what they compute.
 * @module
 */

import type * as tf from '@tensorflow/tfjs-core'
import { sizeOf } from '../../core/index.js'
import { layerNormGradKernelName, layerNormKernelName, layerNormParameterGradKernelName } from '../layer-norm-names.js'
import { type BackendKernel, defineKernels } from './define.js'

type Inputs = Record<'dy' | 'x' | 'scale' | 'offset' | 'moments', tf.TensorInfo>

const rowsOf = ({ shape }: tf.TensorInfo): number => sizeOf(shape.slice(0, -1))

const layerNorm: BackendKernel = ({ inputs, attrs, backend }) => {
  const { x, scale, offset } = inputs as Inputs
  const { epsilon } = attrs as { epsilon: number }
  const [size, rows] = [x.shape.at(-1)!, rowsOf(x)]
  const at = [x, scale, offset].map((tensor) => backend.pointer(tensor)) as [number, number, number]
  const y = backend.output(x.shape, 'float32')
  const moments = backend.output([rows, 2], 'float32')
  backend.kernels.layerNorm(...at, backend.pointer(y), backend.pointer(moments), rows, size, epsilon)
  return [y, moments]
}

const layerNormGrad: BackendKernel = ({ inputs, backend }) => {
  const { dy, x, scale, moments } = inputs as Inputs
  const at = [dy, x, scale, moments].map((tensor) => backend.pointer(tensor)) as [number, number, number, number]
  const dx = backend.output(x.shape, 'float32')
  backend.kernels.layerNormGrad(...at, backend.pointer(dx), rowsOf(x), x.shape.at(-1)!)
  return dx
}

const layerNormParameterGrad: BackendKernel = ({ inputs, backend }) => {
  const { dy, x, moments } = inputs as Inputs
  const size = x.shape.at(-1)!
  const at = [dy, x, moments].map((tensor) => backend.pointer(tensor)) as [number, number, number]
  const [dScale, dOffset] = [backend.output([size], 'float32'), backend.output([size], 'float32')]
  const [scalePointer, offsetPointer] = [backend.pointer(dScale), backend.pointer(dOffset)]
  backend.kernels.layerNormParameterGrad(...at, scalePointer, offsetPointer, rowsOf(x), size)
  return [dScale, dOffset]
}

export const layerNormKernels = defineKernels({
  [layerNormKernelName]: layerNorm,
  [layerNormGradKernelName]: layerNormGrad,
  [layerNormParameterGradKernelName]: layerNormParameterGrad,
})
