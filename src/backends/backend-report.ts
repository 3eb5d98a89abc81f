/**
 * The backends that dcml knows, and what it says about each.
 * @module
 */

/** The name of a backend, in dcml's words. */
export type BackendName = 'cuda' | 'webgpu' | 'webgl' | 'tensorflow' | 'wasm' | 'cpu'

/** Whether a backend works here, and why not. */
export interface BackendReport {
  name: BackendName
  available: boolean
  /** Why it is unavailable, and how to get it. Absent when it is available. */
  reason?: string
  /** What it runs on, when that is known: an adapter, a processor's instruction set. */
  device?: string
  /**
   * What it can do. For wasm: 'simd', 'relaxed-simd', 'threads'; for cuda the architecture and the versions of NVIDIA's
   * libraries; 'software' for a GPU that the processor plays.
   */
  features: string[]
}

/** Every backend, the preferred one first. */
export const backendNames: readonly BackendName[] = ['cuda', 'webgpu', 'webgl', 'tensorflow', 'wasm', 'cpu']

/** The feature of a GPU that the processor plays: it works, and is slower than the processor by itself. */
export const softwareGpu = 'software'

/**
 * Backends that are taken only by name: no run on a GPU has confirmed this one yet.
 *
 * Once `npm run test:cuda` passes on a GPU, `cuda` leaves this list, and with that it is what `selectBackend` and trainers
 * take first where it works; what docs/guides/cuda.md and docs/guides/backends.md say of it changes with it.
 */
export const namedOnly: readonly BackendName[] = ['cuda']

/** The name under which dcml's wasm backend is registered in tfjs; 'wasm' there is the stock one. */
export const wasmTfjsName = 'dcml-wasm'

/** The name under which tfjs knows a backend. */
export const tfjsNameOf = (name: BackendName): string => (name === 'wasm' ? wasmTfjsName : name)

/** The inverse of `tfjsNameOf`; undefined for a backend that is not one of dcml's. */
export function backendNameOf(tfjsName: string): BackendName | undefined {
  return backendNames.find((name) => tfjsNameOf(name) === tfjsName)
}
