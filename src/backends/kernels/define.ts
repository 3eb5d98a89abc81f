/**
 * How a kernel that dcml's own backends share is written down.
 * @module
 */

import type * as tf from '@tensorflow/tfjs-core'
import type { DeviceBackend } from '../device-backend.js'
import { lend } from '../loan.js'

/** What a kernel is called with: inputs and attributes of the tfjs kernel of the same name. */
interface KernelCall {
  inputs: Record<string, tf.TensorInfo>
  // Each tfjs kernel has attributes of its own shape; a kernel names the ones that it reads.
  attrs: never
  backend: DeviceBackend
}

/** Computes outputs from inputs, or undefined when it does not cover the case: then the kernel is on loan. */
export type BackendKernel = (call: KernelCall) => tf.TensorInfo | tf.TensorInfo[] | undefined

/** A kernel without the backend's name. */
export type OwnKernel = Pick<tf.KernelConfig, 'kernelName' | 'kernelFunc'>

/** Binds kernels to their names in tfjs. */
export function defineKernels(kernels: Record<string, BackendKernel>): OwnKernel[] {
  return Object.entries(kernels).map(([kernelName, kernel]) => ({
    kernelName,
    kernelFunc: ((call: KernelCall) => kernel(call) ?? lend(kernelName, call)) as unknown as tf.KernelFunc,
  }))
}
