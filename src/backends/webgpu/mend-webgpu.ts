/**
 * Mends what goes wrong silently in tfjs' WebGPU backend.
 *
 * - Its `Cast` from int32 or bool to float32 gives the same memory another type; kernels that copy values, such as
 *   `Transpose` of three axes, then have no valid shader and give zeros. Here the values are converted.
 * - WebGPU reports errors, of memory or of a shader, to nobody in particular, and goes on with zeros. Here the next
 *   read throws them.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import { ConfigError } from '../../core/index.js'

/** What is used of the backend of tfjs. */
interface Backend extends tf.KernelBackend {
  device: GPUDevice
  makeTensorInfo(shape: number[], dtype: tf.DataType, values: Float32Array): tf.TensorInfo
}

/** Replaces the kernel. Done again, it changes nothing. */
export function mendCast(): void {
  const own = tf.getKernel(tf.Cast, 'webgpu')
  const multiply = tf.getKernel(tf.Multiply, 'webgpu')
  if (!own || !multiply || mended.has(own.kernelFunc)) return
  const kernelFunc: tf.KernelFunc = (args) => {
    const backend = args.backend as Backend
    const x = args.inputs.x!
    const dtype = args.attrs!.dtype
    const cast = own.kernelFunc(args) as tf.TensorInfo
    if (dtype !== 'float32' || x.dtype === 'float32' || x.dtype === 'complex64') return cast
    const one = backend.makeTensorInfo([], 'float32', Float32Array.of(1))
    const converted = multiply.kernelFunc({ inputs: { a: cast, b: one }, backend })
    backend.disposeData(cast.dataId)
    backend.disposeData(one.dataId)
    return converted
  }
  mended.add(kernelFunc)
  tf.unregisterKernel(tf.Cast, 'webgpu')
  tf.registerKernel({ kernelName: tf.Cast, backendName: 'webgpu', kernelFunc })
}

const mended = new WeakSet<tf.KernelFunc>()

/** Makes the reads of a started backend throw what its device has reported since the last. */
export function throwDeviceErrors(backend: tf.KernelBackend): void {
  const { device } = backend as Backend
  if (watched.has(device)) return
  watched.add(device)
  let problem: string | undefined
  device.addEventListener('uncapturederror', (event) => {
    event.preventDefault()
    problem ??= (event as GPUUncapturedErrorEvent).error.message
  })
  device.lost.then(({ message, reason }) => {
    // Destroyed is what the program asked for.
    if (reason !== 'destroyed') problem ??= `the device is lost: ${message}`
  })
  const read = backend.read.bind(backend)
  backend.read = async (dataId) => {
    const values = await read(dataId)
    if (problem === undefined) return values
    const received = problem
    problem = undefined
    throw new ConfigError('WebGPU refused an operation, and what came after it may be zeros.', {
      received,
      remedy: 'Use a smaller batchSize or model where memory ran out, else another backend',
    })
  }
}

const watched = new WeakSet<GPUDevice>()
