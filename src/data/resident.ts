/** Rows that lie in memory, and which of them a dataset has. @module */

import { type Columns, gatherRows, rowsOf, sliceColumns } from './columns.js'
import type { ColumnStream } from './stream.js'

/** A dataset that lies in memory: its columns, and which rows of them in which order (all, when undefined). */
export interface Resident {
  readonly columns: Columns
  readonly index: Uint32Array | undefined
}

/** The rows from one on, in chunks. */
export async function* residentChunks({ columns, index }: Resident, size: number, fromRow: number): ColumnStream {
  const total = index?.length ?? rowsOf(columns)
  for (let start = fromRow; start < total; start += size) {
    const end = Math.min(total, start + size)
    yield index ? gatherRows(columns, index.subarray(start, end)) : sliceColumns(columns, start, end)
  }
}

/** Some of the rows, by their positions. */
export const chosen = ({ columns, index }: Resident, positions: Uint32Array): Resident => ({
  columns,
  index: index ? positions.map((position) => index[position]!) : positions,
})

/** `start` up to but not including `end`. */
export const countingPositions = (start: number, end: number) =>
  Uint32Array.from({ length: end - start }, (_, i) => start + i)
