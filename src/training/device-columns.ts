/**
 * Columns and orders of rows in the memory of the kernels, where captured steps gather rows by themselves.
 *
 * The caller's arrays stay what they are, so what is placed lies in memory twice: hence a limit.
 * @module
 */

import { type DeviceArray, type DeviceArrays, deviceType } from '../backends/index.js'
import type { TypedArray } from '../core/index.js'
import type { SharedColumns } from './job.js'

/** Columns of which copies lie in the memory of the kernels. */
export interface PlacedColumns {
  /** The same columns, with the places of the copies. */
  readonly columns: SharedColumns
  dispose(): void
}

/**
 * Copies columns; undefined where there is no room for all of them.
 *
 * @param replace - Whether `data` becomes a view of the copy, which only a memory that threads share allows.
 */
export function placeColumns(
  columns: SharedColumns,
  arrays: DeviceArrays,
  { replace }: { replace: boolean },
): PlacedColumns | undefined {
  // Columns that are one array stay one.
  const copies = new Map<TypedArray, DeviceArray>()
  const dispose = () => {
    for (const copy of copies.values()) copy.dispose()
  }
  const placed: SharedColumns = {}
  for (const [name, { data, shape }] of Object.entries(columns)) {
    const width = data.length / shape[0]!
    const copy = copies.get(data) ?? arrays.place(data, deviceType(data, width))
    if (!copy) {
      dispose()
      return undefined
    }
    copies.set(data, copy)
    placed[name] = { data: (replace && copy.data) || data, shape, pointer: copy.pointer }
  }
  return { columns: placed, dispose }
}

/** The order of rows that was used last. */
export class PlacedOrder {
  readonly #arrays: DeviceArrays
  #order: Uint32Array | undefined
  #copy: DeviceArray | undefined

  constructor(arrays: DeviceArrays) {
    this.#arrays = arrays
  }

  /** The copy of an order, which is made anew when it is another than the last; undefined where there is no room. */
  place(order: Uint32Array): DeviceArray | undefined {
    if (order !== this.#order) {
      this.#copy?.dispose()
      this.#copy = this.#arrays.place(order, 'uint32')
      this.#order = order
    }
    return this.#copy
  }

  dispose(): void {
    this.#copy?.dispose()
    this.#order = undefined
    this.#copy = undefined
  }
}
