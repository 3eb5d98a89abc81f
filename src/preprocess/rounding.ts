/** Computed values in the kind of numbers of their column. @module */

import type { TypedArray } from '../core/index.js'

/** Copies values; into whole numbers they are rounded, and into bytes held to 0..255. */
export function storeRounded(values: Float32Array, into: TypedArray): void {
  if (into instanceof Float32Array || into instanceof Float64Array) into.set(values)
  // Of all arrays only this one rounds by itself.
  else if (into instanceof Uint8Array) new Uint8ClampedArray(into.buffer, into.byteOffset, into.length).set(values)
  else for (let i = 0; i < into.length; i++) into[i] = Math.round(values[i]!)
}
