/**
 * Registers dcml-wasm in tfjs: its own kernels, and on loan all others that the cpu backend has.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import { StateError } from '../../core/index.js'
import { wasmTfjsName } from '../backend-report.js'
import { sharedKernels } from '../kernels/index.js'
import { registerLoans } from '../loan.js'
import { WasmMemory } from './memory.js'
import { defaultScratchBytes, detectFeatures, type LoadedKernels, loadKernels } from './module.js'
import { DcmlWasmBackend } from './wasm-backend.js'

/** A memory that the backends of several threads use together; plain data that can be posted. */
export interface KernelMemory {
  memory: WebAssembly.Memory
  /** One int32: the first byte that no thread has, in units of 64 bytes. */
  top: SharedArrayBuffer
}

/** More than any build of the module uses for itself. */
const RESERVED_BYTES = 2 ** 18
/** Where the threads on a memory wait for each other: see meet in exports.ts. */
export const MEETING_POINTER = RESERVED_BYTES
const MEETING_BYTES = 128
const INITIAL_PAGES = 256
const MAXIMUM_PAGES = 65536

/** A new memory for several threads; undefined where the runtime has none, or has no room for one. */
export function createKernelMemory(): KernelMemory | undefined {
  if (!detectFeatures().threads) return undefined
  try {
    const memory = new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: MAXIMUM_PAGES, shared: true })
    const top = new SharedArrayBuffer(4)
    new Int32Array(top)[0] = (MEETING_POINTER + MEETING_BYTES) / 64
    return { memory, top }
  } catch {
    return undefined
  }
}

let given: KernelMemory | undefined

/** Lets the backend of this thread use a memory that other threads use too. Before it is registered. */
export function useKernelMemory(memory: KernelMemory): void {
  given = memory
}

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
  const module = given ? await loadKernels({ memory: given.memory }) : await load(found.threads)
  features = module.features
  await import('@tensorflow/tfjs-backend-cpu')
  const heap = new WasmMemory(module.memory, module.heapBase, given?.top)
  if (given) {
    if (module.heapBase > RESERVED_BYTES) throw new StateError('The kernel module is larger than its place.')
    const scratch = heap.allocate(defaultScratchBytes, 'scratch range', [defaultScratchBytes])
    module.exports.setScratch(scratch, defaultScratchBytes)
  }
  tf.registerBackend(wasmTfjsName, () => new DcmlWasmBackend(module.exports, heap), 0)
  for (const config of sharedKernels) tf.registerKernel({ ...config, backendName: wasmTfjsName })
  registerLoans(wasmTfjsName)
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
