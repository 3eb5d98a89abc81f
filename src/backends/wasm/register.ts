/**
 * Registers dcml-wasm in tfjs: its own kernels, and on loan all others that the cpu backend has.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import { wasmTfjsName } from '../backend-report.js'
import { ownKernels } from './kernels/index.js'
import { registerLoans } from './loan.js'
import { WasmMemory } from './memory.js'
import { detectFeatures, type LoadedKernels, loadKernels } from './module.js'
import { DcmlWasmBackend } from './wasm-backend.js'

let registering: Promise<string | undefined> | undefined
let features: string[] = []

/**
 * Loads the kernel module and registers the backend; once per realm.
 *
 * @returns Why it cannot run here, or undefined when it is registered.
 */
export function registerWasmBackend(): Promise<string | undefined> {
  registering ??= register()
  return registering
}

/** What the loaded module uses: 'simd', 'relaxed-simd', 'threads'. Empty before it is registered. */
export const kernelFeatures = (): string[] => [...features]

/** The backend in use when it is dcml-wasm, else undefined. */
export function activeWasmBackend(): DcmlWasmBackend | undefined {
  const engine = tf.engine()
  return engine.backendName === wasmTfjsName ? (engine.backend as DcmlWasmBackend) : undefined
}

async function register(): Promise<string | undefined> {
  const found = detectFeatures()
  if (!found.simd) return 'This runtime has no WebAssembly with SIMD. Update it, or use the cpu backend.'
  const module = await load(found.threads)
  features = module.features
  await import('@tensorflow/tfjs-backend-cpu')
  const heap = new WasmMemory(module.memory, module.heapBase)
  tf.registerBackend(wasmTfjsName, () => new DcmlWasmBackend(module.exports, heap), 0)
  for (const config of ownKernels) tf.registerKernel({ ...config, backendName: wasmTfjsName })
  registerLoans()
  return undefined
}

/** Over a shared memory where that is allowed: it reserves its 4 GiB at once, which a limit on the process may forbid. */
async function load(canShare: boolean): Promise<LoadedKernels> {
  if (!canShare) return loadKernels()
  try {
    return await loadKernels({ shared: true })
  } catch {
    return loadKernels()
  }
}
