/**
 * Registers the backend `cuda` in tfjs: its own kernels, and on loan all others that the cpu backend has.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import { tfjsNameOf } from '../backend-report.js'
import { sharedKernels } from '../kernels/index.js'
import { registerLoans } from '../loan.js'
import { CudaBackend } from './cuda-backend.js'
import { CudaDevice } from './cuda-device.js'
import { registerPrecisionFlag } from './kernels/products.js'

let registering: Promise<CudaDevice> | undefined

/**
 * Opens the GPU and registers the backend; once per thread.
 *
 * @throws {BackendUnavailableError} if something is missing here.
 */
export function registerCudaBackend(): Promise<CudaDevice> {
  registering ??= register()
  return registering
}

async function register(): Promise<CudaDevice> {
  const device = await CudaDevice.open()
  await import('@tensorflow/tfjs-backend-cpu')
  const backendName = tfjsNameOf('cuda')
  registerPrecisionFlag()
  tf.registerBackend(backendName, () => new CudaBackend(device), 0)
  for (const config of sharedKernels) tf.registerKernel({ ...config, backendName })
  registerLoans(backendName)
  return device
}
