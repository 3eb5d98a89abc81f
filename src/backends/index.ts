/**
 * Backends: what hardware there is, which to use, its memory, dcml's own kernels.
 * @module
 */

export {
  type BackendName,
  type BackendReport,
  backendNameOf,
  backendNames,
  tfjsNameOf,
} from './backend-report.js'
export { copyInto, createDeviceFloats, type DeviceFloats, pointerOf, wasmExports } from './device-floats.js'
export { type RandomTensorOptions, randomTensor, randomValues } from './random-tensor.js'
export { rowTensor } from './row-tensor.js'
export {
  currentBackend,
  ensureBackend,
  listBackends,
  type SelectBackendOptions,
  selectBackend,
} from './select-backend.js'
export type { KernelExports } from './wasm/exports.js'
