/**
 * How a kernel of dcml-wasm is written down.
 * @module
 */

import type * as tf from '@tensorflow/tfjs-core'
import type { DcmlWasmBackend } from '../wasm-backend.js'

/** Computes outputs from inputs. Inputs and attributes are those of the tfjs kernel of the same name. */
export type WasmKernel = (call: {
  inputs: Record<string, tf.TensorInfo>
  // Each tfjs kernel has attributes of its own shape; the kernel names the ones that it reads.
  attrs: never
  backend: DcmlWasmBackend
}) => tf.TensorInfo | tf.TensorInfo[]

/** A kernel without the backend's name. */
export type KernelConfigPart = Pick<tf.KernelConfig, 'kernelName' | 'kernelFunc'>

/** Binds kernels to their names in tfjs. */
export function defineKernels(kernels: Record<string, WasmKernel>): KernelConfigPart[] {
  return Object.entries(kernels).map(([kernelName, kernel]) => ({
    kernelName,
    kernelFunc: kernel as unknown as tf.KernelFunc,
  }))
}
