/**
 * Loads the kernel module in the form that suits the runtime and the memory.
 *
 * Owns: which of the four builds, the memory's limits, the first scratch range.
 * Leaves: who uses which bytes to memory.ts, what is computed to assembly/.
 * @module
 */

import { BackendUnavailableError } from '../../core/index.js'
import type { KernelExports } from './exports.js'

/** 4 GiB: what 32-bit pointers reach. */
const maximumPages = 65536
const initialPages = 128
/** Holds the transformed filter of a 3 x 3 convolution of up to 128 to 256 channels, beside blocks of its operands. */
export const defaultScratchBytes = 2 ** 22

/** What a WebAssembly runtime can do. */
export interface WasmFeatures {
  simd: boolean
  /** Fused multiply-add; not in Node 20. */
  relaxedSimd: boolean
  /** Shared memories; in browsers only on cross-origin isolated pages. */
  threads: boolean
}

/** How to load. */
export interface LoadKernelsOptions {
  /** A memory made elsewhere, of at most 65536 pages; the caller then lends scratch with `setScratch`. */
  memory?: WebAssembly.Memory
  /**
   * Whether the memory is shared.
   * @default whether `memory` is
   */
  shared?: boolean
}

/** A kernel module over its memory. */
export interface LoadedKernels {
  exports: KernelExports
  memory: WebAssembly.Memory
  /** First free byte. */
  heapBase: number
  /** What the module uses: 'simd', 'relaxed-simd', 'threads'. */
  features: string[]
}

/** Asks the runtime. */
export function detectFeatures(): WasmFeatures {
  if (typeof WebAssembly === 'undefined') return { simd: false, relaxedSimd: false, threads: false }
  return {
    simd: WebAssembly.validate(moduleOf([...vector, ...vector, 0xfd, 0xe4, 0x01, dropOperand])),
    relaxedSimd: WebAssembly.validate(moduleOf([...vector, ...vector, ...vector, 0xfd, 0x85, 0x02, dropOperand])),
    threads: hasSharedMemory(),
  }
}

/**
 * Loads the kernels.
 *
 * @throws {BackendUnavailableError} if the runtime has no WebAssembly SIMD, or no shared memory though one is asked for.
 */
export async function loadKernels(options: LoadKernelsOptions = {}): Promise<LoadedKernels> {
  const found = detectFeatures()
  const shared = options.shared ?? (options.memory !== undefined && isShared(options.memory))
  if (!found.simd || (shared && !found.threads))
    throw new BackendUnavailableError('The wasm backend cannot run here.', {
      expected: shared ? 'WebAssembly with SIMD and shared memory' : 'WebAssembly with SIMD',
      received: found.simd ? 'no shared memory' : 'no SIMD',
      remedy: found.simd
        ? 'Serve the page with COOP and COEP headers, or use a memory that is not shared'
        : "Update the runtime, or choose another backend, e.g. 'cpu'",
    })
  const memory = options.memory ?? new WebAssembly.Memory({ initial: initialPages, maximum: maximumPages, shared })
  const base64 = await binaryOf(found.relaxedSimd, shared)
  const { instance } = await WebAssembly.instantiate(decode(base64), { env: { memory } })
  const exports = instance.exports as unknown as KernelExports
  let heapBase = Math.ceil(exports.heapBase() / 64) * 64
  if (options.memory === undefined) {
    exports.setScratch(heapBase, defaultScratchBytes)
    heapBase += defaultScratchBytes
  }
  const features = ['simd', ...(found.relaxedSimd ? ['relaxed-simd'] : []), ...(shared ? ['threads'] : [])]
  return { exports, memory, heapBase, features }
}

/** One chunk of the build each, so that only the one in use is read. */
async function binaryOf(relaxed: boolean, shared: boolean): Promise<string> {
  if (relaxed && shared) return (await import('./generated/relaxed-shared.js')).default
  if (relaxed) return (await import('./generated/relaxed.js')).default
  if (shared) return (await import('./generated/plain-shared.js')).default
  return (await import('./generated/plain.js')).default
}

function decode(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
}

const isShared = (memory: WebAssembly.Memory): boolean =>
  typeof SharedArrayBuffer !== 'undefined' && memory.buffer instanceof SharedArrayBuffer

function hasSharedMemory(): boolean {
  if (typeof SharedArrayBuffer === 'undefined') return false
  try {
    return isShared(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }))
  } catch {
    return false
  }
}

/** `v128.const 0`. */
const vector = [0xfd, 0x0c, ...new Array<number>(16).fill(0)]
const dropOperand = 0x1a

/** A module with one function of this body. */
function moduleOf(body: readonly number[]): Uint8Array<ArrayBuffer> {
  const code = [0x00, ...body, 0x0b]
  const header = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]
  const typeSection = [0x01, 0x04, 0x01, 0x60, 0x00, 0x00]
  const functionSection = [0x03, 0x02, 0x01, 0x00]
  const codeSection = [0x0a, code.length + 2, 0x01, code.length, ...code]
  return new Uint8Array([...header, ...typeSection, ...functionSection, ...codeSection])
}
