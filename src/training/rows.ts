/** How rows are split over workers, and what they count. @module */

import { Random } from '../core/index.js'
import type { SharedColumns } from './job.js'

/**
 * The part of `from .. to` that belongs to one of `size` workers: consecutive, sizes differing by at most one, the
 * first workers taking the rest.
 */
export function splitRows(from: number, to: number, rank: number, size: number): { from: number; to: number } {
  const rows = to - from
  const share = Math.floor(rows / size)
  const rest = rows % size
  const start = from + rank * share + Math.min(rank, rest)
  return { from: start, to: start + share + (rank < rest ? 1 : 0) }
}

/** 0, 1, 2 and so on, `[count]`: rows as they lie. */
export const rowNumbers = (count: number): Uint32Array => Uint32Array.from({ length: count }, (_, row) => row)

/** The order of the rows of an epoch, `[rows]`: as they lie, or a new one for each epoch of a seed. */
export const epochOrder = (
  rows: number,
  { seed, epoch, shuffle }: { seed: number; epoch: number; shuffle: boolean },
) => (shuffle ? new Random(seed, epoch + 1).permutation(rows) : rowNumbers(rows))

/**
 * What some rows count together: their number, or the sum of their weights.
 *
 * @param weight - Name of the column of weights, if there is one.
 * @param range - The rows from `from` up to `to`, in the order of `order` where that is given.
 */
export function weightOfRows(
  columns: SharedColumns,
  weight: string | undefined,
  { order, from, to }: { order?: Uint32Array; from: number; to: number },
): number {
  const weights = weight === undefined ? undefined : columns[weight]?.data
  if (!weights) return to - from
  let sum = 0
  for (let i = from; i < to; i++) sum += weights[order ? order[i]! : i]!
  return sum
}
