/** How rows are split over workers. @module */

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
