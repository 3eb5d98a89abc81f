/** Rows that belong together, by the value of a column. @module */

import { ConfigError, type Random } from '../core/index.js'
import { type Columns, columnOf, gatherRows } from './columns.js'

/** Which rows count as alike. */
export interface RowGroups {
  /** Name of a column `[rows]` whose values shall be equally frequent in every part (to one row per value). */
  stratifyBy?: string
  /**
   * Name of a column `[rows]`, such as that of the patient: rows with the same value stay in one part. The sizes of the
   * parts are then as near to those asked for as the groups allow.
   */
  groupBy?: string
}

/** Those options: none has a default. */
export const groupDefaults = { stratifyBy: undefined, groupBy: undefined } as const

/** One value per row. */
export type Labels = ArrayLike<number | string>

/**
 * The values by which rows are told apart.
 *
 * @param index - The rows that count, in their order. Undefined: all.
 * @throws {ConfigError} for both, or a column of another shape. @throws {DataError} if there is no such column.
 */
export function labelsOf(
  columns: Columns,
  index: Uint32Array | undefined,
  { stratifyBy, groupBy }: RowGroups,
  reader: string,
): { strata?: Labels; groups?: Labels } {
  if (stratifyBy !== undefined && groupBy !== undefined)
    throw new ConfigError(`${reader} cannot keep groups together and the strata even.`, {
      expected: 'stratifyBy or groupBy',
      received: `both, "${stratifyBy}" and "${groupBy}"`,
    })
  const name = stratifyBy ?? groupBy
  if (name === undefined) return {}
  const column = columnOf(columns, name, reader)
  if (column.shape.length !== 1)
    throw new ConfigError(`Cannot ${stratifyBy === undefined ? 'group' : 'stratify'} by "${name}".`, {
      expected: 'a column of shape [rows]',
      received: column.shape,
    })
  const labels = index ? gatherRows({ column }, index).column!.data : column.data
  return stratifyBy === undefined ? { groups: labels } : { strata: labels }
}

/** The rows of each label, in the order that is given; the labels are sorted. */
export function runsOf(order: Uint32Array, labels: Labels): number[][] {
  const runs = new Map<number | string, number[]>()
  for (const row of order) {
    const key = labels[row]!
    const run = runs.get(key)
    if (run) run.push(row)
    else runs.set(key, [row])
  }
  // Sorted, for the order of first appearance depends on the permutation.
  return [...runs.entries()].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, run]) => run)
}

/** The groups with the most rows first, those with as many in random order. */
export const byWeight = (runs: number[][], random: Random): number[][] =>
  random.shuffle([...runs]).sort((a, b) => b.length - a.length)
