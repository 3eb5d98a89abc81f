/** Which rows go to which part of a split. @module */

import { ConfigError, DataError, Random } from '../core/index.js'

/** How a dataset is split. */
export interface SplitOptions {
  /** Integer, 0 to 2^32 - 1. The same seed gives the same split. @default 0 */
  seed?: number
  /** Name of a column `[rows]` whose values shall be equally frequent in every part (to one row per value). */
  stratifyBy?: string
}

/**
 * Positions of the rows of every part, in random order.
 *
 * @param fractions - Share of every part, above 0, together 1.
 * @param groups - Value of the column to stratify by, one per row.
 * @throws {ConfigError} for fractions that do not add up to 1.
 * @throws {DataError} if a part would be empty.
 */
export function splitPositions(
  size: number,
  fractions: readonly number[],
  seed: number,
  groups?: ArrayLike<number | string>,
): Uint32Array[] {
  const total = fractions.reduce((sum, fraction) => sum + fraction, 0)
  if (!fractions.every((fraction) => fraction > 0) || Math.abs(total - 1) > 1e-6)
    throw new ConfigError('The fractions of a split must be positive and add up to 1.', { received: fractions })
  const random = new Random(seed)
  const order = random.permutation(size)
  const runs = groups ? groupRuns(order, groups) : [order]
  const parts = fractions.map((): number[] => [])
  // Boundaries are rounded on the running total, so that errors of single groups do not add up.
  let before = 0
  for (const run of runs) {
    let cumulative = 0
    let start = 0
    fractions.forEach((fraction, part) => {
      cumulative += fraction
      const last = part === fractions.length - 1
      const end = last ? run.length : boundary(cumulative, before + run.length) - boundary(cumulative, before)
      for (; start < end; start++) parts[part]!.push(run[start]!)
    })
    before += run.length
  }
  parts.forEach((part, i) => {
    if (part.length === 0)
      throw new DataError(`${size} rows are too few for this split.`, {
        received: `no row for the fraction ${fractions[i]}`,
      })
  })
  // Groups came one after the other; a part shall not be sorted by them.
  return parts.map((part) => (groups ? random.shuffle(Uint32Array.from(part)) : Uint32Array.from(part)))
}

/** Rounds half up, with 0.7 + 0.2 + ... counted as what was meant. */
const boundary = (fraction: number, rows: number) => Math.floor(fraction * rows + 0.5 + 1e-9)

function groupRuns(order: Uint32Array, groups: ArrayLike<number | string>): number[][] {
  const runs = new Map<number | string, number[]>()
  for (const row of order) {
    const key = groups[row]!
    const run = runs.get(key)
    if (run) run.push(row)
    else runs.set(key, [row])
  }
  // Sorted, for the order of first appearance depends on the permutation.
  return [...runs.entries()].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, run]) => run)
}
