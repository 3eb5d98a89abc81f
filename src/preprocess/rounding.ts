/** Computed values in the kind of numbers of their column. @module */

import type { TypedArray } from '../core/index.js'

/** Copies values; into whole numbers they are rounded, and held to what these can be. NaN becomes 0 there. */
export function storeRounded(values: Float32Array, into: TypedArray): void {
  if (into instanceof Float32Array || into instanceof Float64Array) into.set(values)
  // Of all arrays only this one rounds by itself.
  else if (into instanceof Uint8Array) new Uint8ClampedArray(into.buffer, into.byteOffset, into.length).set(values)
  else {
    const isSigned = into instanceof Int8Array || into instanceof Int16Array || into instanceof Int32Array
    const count = 2 ** (8 * into.BYTES_PER_ELEMENT)
    const least = isSigned ? -count / 2 : 0
    const most = least + count - 1
    for (let i = 0; i < into.length; i++) into[i] = Math.min(most, Math.max(least, Math.round(values[i]!)))
  }
}
