/**
 * A flat float32 buffer: in the memory of dcml's wasm backend where that is in use, else in host memory.
 * @module
 */

import { createDeviceFloats, type DeviceFloats } from '../backends/index.js'

/** A zeroed buffer that lives until it is disposed. */
export interface FlatFloats {
  /** The buffer's place in the memory of the wasm backend, if it is there. */
  readonly device: DeviceFloats | undefined
  /**
   * The elements. A view that the next allocation may move: fetch it again after each step. On a GPU it costs what
   * `read` and `write` do not: their pages move to the host and back.
   */
  view(): Float32Array
  /** The elements `from` to `to`, by default all, to be read: a view that goes stale as `view` does, or a copy. */
  read(from?: number, to?: number): Promise<Float32Array>
  /** Sets elements, by default from the first on. */
  write(values: Float32Array, at?: number): void
  dispose(): void
}

/** A buffer over a range of the wasm memory. */
export const flatFloats = (device: DeviceFloats): FlatFloats => ({
  device,
  view: () => device.view(),
  read: (from = 0, to = device.length) => device.read(from, to),
  write: (values, at = 0) => device.write(values, at),
  dispose: () => device.dispose(),
})

/** A buffer of so many elements. */
export function createFlatFloats(length: number): FlatFloats {
  const device = createDeviceFloats(length)
  if (device) return flatFloats(device)
  const host = new Float32Array(length)
  return {
    device,
    view: () => host,
    read: async (from, to) => host.subarray(from, to),
    write: (values, at) => host.set(values, at),
    dispose: () => undefined,
  }
}
