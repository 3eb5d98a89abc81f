/**
 * Registers dcml-wasm in tfjs: its own kernels, and on loan all others that the cpu backend has.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import { wasmTfjsName } from '../backend-report.js'
import type { KernelExports } from './exports.js'
import { kernelConfigs } from './kernels/index.js'
import { registerLoans } from './loan.js'
import { WasmMemory } from './memory.js'
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
  if (typeof WebAssembly === 'undefined') return 'This runtime has no WebAssembly.'
  const module = await loadModule()
  features = module.features
  await import('@tensorflow/tfjs-backend-cpu')
  const heap = new WasmMemory(module.memory, module.heapBase)
  tf.registerBackend(wasmTfjsName, () => new DcmlWasmBackend(module.exports, heap), 0)
  for (const config of kernelConfigs) tf.registerKernel({ ...config, backendName: wasmTfjsName })
  registerLoans()
  return undefined
}

interface LoadedModule {
  exports: KernelExports
  memory: WebAssembly.Memory
  heapBase: number
  features: string[]
}

/** Until the kernel module is there: a bare memory, with which every kernel but those of shape is on loan. */
async function loadModule(): Promise<LoadedModule> {
  const memory = new WebAssembly.Memory({ initial: 64, maximum: 65536 })
  return { exports: {} as KernelExports, memory, heapBase: 64, features: [] }
}
