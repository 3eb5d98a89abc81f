/**
 * Columns and orders of rows where every worker thread reads them: in the memory of the kernels, where the workers share
 * one and it has room, else on shared memory of their own.
 * @module
 */

import { DeviceArrays, type KernelMemory } from '../backends/index.js'
import { createTypedArray, type TypedArray, typedArrayName } from '../core/index.js'
import {
  type PlacedColumns,
  PlacedOrder,
  placeColumns,
  type SharedColumns,
  type TrainRange,
} from '../training/index.js'

/** What columns may take of the memory of the kernels, of which there are at most 4 GiB: 1 GiB. */
const LIMIT_BYTES = 2 ** 30

/** The coordinator's side of the data of its threads. */
export class ThreadData {
  readonly #arrays: DeviceArrays | undefined
  readonly #order: PlacedOrder | undefined
  readonly #placed = new Map<string, PlacedColumns>()
  #lastOrder: { given: Uint32Array; shared: Uint32Array } | undefined

  constructor(kernelMemory: KernelMemory | undefined) {
    this.#arrays = kernelMemory && DeviceArrays.onKernelMemory(kernelMemory, LIMIT_BYTES)
    this.#order = this.#arrays && new PlacedOrder(this.#arrays)
  }

  /** Columns that can be posted without copying them. What had the name before is no longer used by any thread. */
  share(name: string, columns: SharedColumns, reused: boolean): SharedColumns {
    this.#placed.get(name)?.dispose()
    this.#placed.delete(name)
    const placed = reused && this.#arrays ? placeColumns(columns, this.#arrays, { replace: true }) : undefined
    if (placed) {
      this.#placed.set(name, placed)
      return placed.columns
    }
    return Object.fromEntries(
      Object.entries(columns).map(([key, { data, shape }]) => [key, { data: onSharedMemory(data), shape }]),
    )
  }

  /** The same for the order of rows, which mostly is that of the last call. */
  shareOrder({ order, ...range }: TrainRange): TrainRange {
    const copy = this.#order?.place(order)
    if (copy?.data) return { ...range, order: copy.data as Uint32Array, orderPointer: copy.pointer }
    if (order !== this.#lastOrder?.given)
      this.#lastOrder = { given: order, shared: onSharedMemory(order) as Uint32Array }
    return { ...range, order: this.#lastOrder.shared }
  }
}

function onSharedMemory(data: TypedArray): TypedArray {
  if (data.buffer instanceof SharedArrayBuffer) return data
  const copy = createTypedArray(typedArrayName(data), data.length, new SharedArrayBuffer(data.byteLength))
  copy.set(data)
  return copy
}
