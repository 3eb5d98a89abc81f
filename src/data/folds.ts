/** Which rows are the validation rows of which fold. @module */

import { checkWhole, DataError, Random } from '../core/index.js'
import { byWeight, type Labels, type RowGroups, runsOf } from './row-groups.js'

/** How a dataset is dealt out to folds. */
export interface FoldOptions extends RowGroups {
  /** Integer, 0 to 2^32 - 1. The same seed gives the same folds. @default 0 */
  seed?: number
}

/**
 * The number of the fold of each row.
 *
 * Plain folds differ by one row at most; stratified ones also in how often they have each label. Groups are dealt out
 * whole, the largest first, each to the fold with the fewest rows.
 *
 * @throws {DataError} for fewer rows, or groups, than folds.
 * @see sklearn.model_selection: KFold, StratifiedKFold, GroupKFold
 */
export function foldOfRows(
  size: number,
  folds: number,
  { seed, strata, groups }: { seed: number; strata?: Labels | undefined; groups?: Labels | undefined },
): Uint32Array {
  checkWhole('The number of folds', folds, 2)
  const random = new Random(seed)
  const order = random.permutation(size)
  const foldOf = new Uint32Array(size)
  if (!groups) {
    assertEnough(size, 'rows', folds)
    const dealt = strata ? runsOf(order, strata).flat() : order
    dealt.forEach((row, i) => {
      foldOf[row] = i % folds
    })
    return foldOf
  }
  const runs = runsOf(order, groups)
  assertEnough(runs.length, 'groups', folds)
  const rows = new Array<number>(folds).fill(0)
  for (const run of byWeight(runs, random)) {
    const lightest = rows.indexOf(Math.min(...rows))
    rows[lightest]! += run.length
    for (const row of run) foldOf[row] = lightest
  }
  return foldOf
}

function assertEnough(count: number, what: string, folds: number): void {
  if (count >= folds) return
  throw new DataError(`${count} ${what} are too few for ${folds} folds.`, { expected: `at least ${folds} ${what}` })
}
