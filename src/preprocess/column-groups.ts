/** Which values of a column share one statistic. @module */

import { ConfigError, checkGiven, rowSize, ShapeError, type TypedArray } from '../core/index.js'
import { type Column, type Columns, columnOf, numbersOf, type Row } from '../data/index.js'

/**
 * `'feature'`: each position of a row has its own statistic; `'channel'`: each position of the last axis;
 * `'column'`: one for the whole column.
 */
export type Per = 'feature' | 'channel' | 'column'

/** Number of groups of a column: value `i` of `data` belongs to group `i % groups`. */
export function groupsOf(shape: readonly number[], per: Per): number {
  if (per === 'column') return 1
  return per === 'channel' ? (shape.length > 1 ? shape.at(-1)! : 1) : rowSize(shape)
}

/**
 * @param groups - Statistics that a step has of a column.
 * @throws {ShapeError} if the rows of the column have another size than those that it was fitted on.
 */
export function checkGroups({ shape }: Column, groups: number, name: string, kind: string): void {
  if (groups === 1 || groups === rowSize(shape) || groups === shape.at(-1)) return
  throw new ShapeError(`${kind} was fitted on other rows in the column "${name}".`, {
    expected: `${groups} values per row`,
    received: `a row of shape [${shape.slice(1).join(', ')}]`,
  })
}

/** Values that are gone through group by group before the next ones are: they stay in the cache meanwhile. */
const BLOCK_VALUES = 32_768
const LEAST_BLOCK_ROWS = 16

/** The values of a column in parts of whole rows, as views. */
export function* blocksOf<Values extends TypedArray>(values: Values, groups: number): Generator<Values> {
  const size = groups * Math.max(LEAST_BLOCK_ROWS, Math.floor(BLOCK_VALUES / groups))
  for (let from = 0; from < values.length; from += size) yield values.subarray(from, from + size) as Values
}

/** Throws a ConfigError for an unknown `per`. */
export function checkPer(per: Per): void {
  if (per !== 'feature' && per !== 'channel' && per !== 'column')
    throw new ConfigError('Unknown value of per.', { expected: "'feature', 'channel' or 'column'", received: per })
}

/** A name or a list of names, as a list. */
export function namesOf(columns: string | readonly string[]): string[] {
  checkGiven(typeof columns === 'string' || Array.isArray(columns), 'A step needs the names of its columns.', {
    expected: "a name or a list of names, such as 'x'",
    received: columns,
  })
  const names = typeof columns === 'string' ? [columns] : [...columns]
  if (names.length === 0) throw new ConfigError('A step needs at least one column.', { received: '[]' })
  return names
}

/** Columns with some of them put through `f`, value by value, as float32. `group` is the statistic's. */
export function mapValues(
  columns: Columns,
  names: readonly string[],
  kind: string,
  f: (name: string) => { groups: number; map: (value: number, group: number) => number },
): Columns {
  return writeValues(columns, names, kind, (name) => {
    const { groups, map } = f(name)
    const write = (data: TypedArray, values: Float32Array) => {
      for (let i = 0, group = 0; i < data.length; i++) {
        values[i] = map(data[i]!, group)
        if (++group === groups) group = 0
      }
    }
    return { groups, write }
  })
}

/**
 * Makes each of some numeric columns anew.
 *
 * @throws {DataError} for a column that is not there or holds strings, naming the step.
 */
export function mapNumbers(
  columns: Columns,
  names: readonly string[],
  kind: string,
  map: (data: TypedArray, shape: number[], name: string) => Column,
): Columns {
  const made = { ...columns }
  for (const name of names) {
    const column = columnOf(columns, name, kind)
    made[name] = map(numbersOf(column, name, kind), column.shape, name)
  }
  return made
}

/** The same where `write` puts all values of a column at once, for steps whose speed counts. */
export function writeValues(
  columns: Columns,
  names: readonly string[],
  kind: string,
  f: (name: string) => { groups: number; write: (data: TypedArray, values: Float32Array) => void },
): Columns {
  return mapNumbers(columns, names, kind, (data, shape, name) => {
    const { groups, write } = f(name)
    checkGroups(columns[name]!, groups, name, kind)
    const values = new Float32Array(data.length)
    write(data, values)
    return { data: values, shape }
  })
}

/** The columns that a row has of some put through `f`, value by value: what `mapValues` does, for one row. */
export function mapRow(
  row: Row,
  names: readonly string[],
  f: (name: string) => { groups: number; map: (value: number, group: number) => number },
): Row {
  const mapped = { ...row }
  for (const name of names.filter((name) => name in row)) {
    const { groups, map } = f(name)
    mapped[name] = mapRowValue(row[name], groups, map)
  }
  return mapped
}

/** A value of a row put through `f`: a number, or each of an array. */
function mapRowValue(value: unknown, groups: number, f: (value: number, group: number) => number): unknown {
  if (typeof value === 'number') return f(value, 0)
  return Float32Array.from(value as ArrayLike<number>, (item, i) => f(item, i % groups))
}
