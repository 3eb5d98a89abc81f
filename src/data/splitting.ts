/** Which rows go to which part of a split. @module */

import { ConfigError, DataError, Random } from '../core/index.js'
import { byWeight, type Labels, type RowGroups, runsOf } from './row-groups.js'

/** How a dataset is split. */
export interface SplitOptions extends RowGroups {
  /** Integer, 0 to 2^32 - 1. The same seed gives the same split. @default 0 */
  seed?: number
}

/**
 * Positions of the rows of every part, in random order.
 *
 * @param fractions - Share of every part, above 0, together 1.
 * @param options - `strata`, `groups`: values, one per row, that are to be even, or kept together.
 * @throws {ConfigError} for fractions that do not add up to 1.
 * @throws {DataError} if a part would be empty.
 */
export function splitPositions(
  size: number,
  fractions: readonly number[],
  { seed, strata, groups }: { seed: number; strata?: Labels | undefined; groups?: Labels | undefined },
): Uint32Array[] {
  const total = fractions.reduce((sum, fraction) => sum + fraction, 0)
  if (!fractions.every((fraction) => fraction > 0) || Math.abs(total - 1) > 1e-6)
    throw new ConfigError('The fractions of a split must be positive and add up to 1.', { received: fractions })
  const random = new Random(seed)
  const order = random.permutation(size)
  const parts = groups
    ? dealtInGroups(byWeight(runsOf(order, groups), random), fractions, size)
    : cutFrom(strata ? runsOf(order, strata) : [order], fractions)
  parts.forEach((part, i) => {
    if (part.length === 0)
      throw new DataError(`${size} rows${groups ? ' in these groups' : ''} are too few for this split.`, {
        received: `no row for the fraction ${fractions[i]}`,
      })
  })
  // Strata and groups came one after the other; a part shall not be sorted by them.
  return parts.map((part) => (strata || groups ? random.shuffle(Uint32Array.from(part)) : Uint32Array.from(part)))
}

function cutFrom(runs: ArrayLike<number>[], fractions: readonly number[]): number[][] {
  const parts = fractions.map((): number[] => [])
  // Boundaries are rounded on the running total, so that errors of single strata do not add up.
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
  return parts
}

/** Gives each group to the part that lacks most rows. */
function dealtInGroups(groups: number[][], fractions: readonly number[], size: number): number[][] {
  const parts = fractions.map((): number[] => [])
  for (const group of groups) {
    const missing = fractions.map((fraction, i) => fraction * size - parts[i]!.length)
    const part = parts[missing.indexOf(Math.max(...missing))]!
    for (const row of group) part.push(row)
  }
  return parts
}

/** Rounds half up, with 0.7 + 0.2 + ... counted as what was meant. */
const boundary = (fraction: number, rows: number) => Math.floor(fraction * rows + 0.5 + 1e-9)
