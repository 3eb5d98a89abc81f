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
