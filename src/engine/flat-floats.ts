/**
 * A flat float32 buffer: in the memory of dcml's wasm backend where that is in use, else in host memory.
 * @module
 */

import { createDeviceFloats, type DeviceFloats } from '../backends/index.js'

/** A zeroed buffer that lives until it is disposed. */
export interface FlatFloats {
  /** The buffer's place in the memory of the wasm backend, if it is there. */
  readonly device: DeviceFloats | undefined
  /** The elements. A view that the next allocation may move: fetch it again after each step. */
  view(): Float32Array
  dispose(): void
}

/** A buffer over a range of the wasm memory. */
export const flatFloats = (device: DeviceFloats): FlatFloats => ({
  device,
  view: () => device.view(),
  dispose: () => device.dispose(),
})

/** A buffer of so many elements. */
export function createFlatFloats(length: number): FlatFloats {
  const device = createDeviceFloats(length)
  if (device) return flatFloats(device)
  const host = new Float32Array(length)
  return { device, view: () => host, dispose: () => undefined }
}
