/**
 * The data that one worker computes on, by name.
 * @module
 */

import { DeviceArrays, type RowSelection } from '../backends/index.js'
import { ConfigError } from '../core/index.js'
import { type PlacedColumns, PlacedOrder, placeColumns } from './device-columns.js'
import type { SharedColumns } from './job.js'
import { rowNumbers } from './rows.js'

/** Columns and orders of rows, in the memory of the kernels where that helps. */
export class ReplicaData {
  readonly #columns = new Map<string, SharedColumns>()
  readonly #placed = new Map<string, PlacedColumns>()
  readonly #arrays = DeviceArrays.onBackend()
  readonly #order = this.#arrays && new PlacedOrder(this.#arrays)
  readonly #inOrder = this.#arrays && new PlacedOrder(this.#arrays)
  #rows = rowNumbers(0)

  /** @param place - Whether to copy the columns to the memory of the kernels. */
  set(name: string, columns: SharedColumns, place: boolean): void {
    this.#placed.get(name)?.dispose()
    this.#placed.delete(name)
    const placed = place && this.#arrays ? placeColumns(columns, this.#arrays, { replace: false }) : undefined
    if (placed) this.#placed.set(name, placed)
    this.#columns.set(name, placed?.columns ?? columns)
  }

  /** @throws {ConfigError} if there is no data of this name. */
  get(name: string): SharedColumns {
    const columns = this.#columns.get(name)
    if (!columns) throw new ConfigError(`The worker has no data named '${name}'.`)
    return columns
  }

  /** Rows of the columns in the order of an epoch; `pointer` where a coordinator has placed it. */
  select(columns: SharedColumns, order: Uint32Array, pointer?: number): Pick<RowSelection, 'indices' | 'pointer'> {
    return this.#select(columns, order, pointer, this.#order)
  }

  /** Rows of the columns as they lie, up to a row. */
  selectInOrder(columns: SharedColumns, to: number): Pick<RowSelection, 'indices' | 'pointer'> {
    if (this.#rows.length < to) this.#rows = rowNumbers(to)
    return this.#select(columns, this.#rows, undefined, this.#inOrder)
  }

  dispose(): void {
    for (const placed of this.#placed.values()) placed.dispose()
    this.#order?.dispose()
    this.#inOrder?.dispose()
    this.#columns.clear()
  }

  #select(columns: SharedColumns, indices: Uint32Array, given: number | undefined, own: PlacedOrder | undefined) {
    const isPlaced = Object.values(columns).every((column) => column.pointer !== undefined)
    const pointer = given ?? (isPlaced ? own?.place(indices)?.pointer : undefined)
    return pointer === undefined ? { indices } : { indices, pointer }
  }
}
