/** Columns of texts, and of the ids of their tokens. @module */

import { DataError, ShapeError } from '../core/index.js'
import { type Column, type Columns, columnOf, type Row } from '../data/index.js'
import type { Fitting, Json } from './step.js'

/** The id that stands behind the end of a text, so that all rows are equally long. */
export const PADDING = 0

/** How often each token was met, by column. */
export type TokenCounts = Map<string, Map<string, number>>

/** @throws {DataError | ShapeError} unless a column holds a text per row. */
export function textsOf(columns: Columns, name: string, kind: string): string[] {
  const { data, shape } = columnOf(columns, name, kind)
  if (!Array.isArray(data))
    throw new DataError(`${kind} needs texts in the column "${name}".`, { expected: 'strings', received: 'numbers' })
  if (shape.length !== 1)
    throw new ShapeError(`${kind} needs one text per row in the column "${name}".`, {
      expected: '[rows]',
      received: shape,
    })
  return data
}

/** A function of what was fitted that runs once for each: single rows, one after the other, would pay for it every time. */
export function oncePerFitted<Fitted extends object, Made>(make: (fitted: Fitted) => Made): (fitted: Fitted) => Made {
  const made = new WeakMap<Fitted, Made>()
  return (fitted) => {
    const known = made.get(fitted) ?? make(fitted)
    made.set(fitted, known)
    return known
  }
}

/** Counts the tokens of columns; what is kept of the counts of each, `finish` says. */
export function countFitting(
  kind: string,
  names: readonly string[],
  {
    tokens,
    finish,
  }: { tokens(text: string): Iterable<string>; finish(counts: Map<string, number>, name: string): Json },
): Fitting<TokenCounts> {
  return {
    start: () => new Map(names.map((name) => [name, new Map()])),
    update(state, columns) {
      for (const name of names) {
        const counts = state.get(name)!
        for (const text of textsOf(columns, name, kind))
          for (const token of tokens(text)) counts.set(token, (counts.get(token) ?? 0) + 1)
      }
    },
    merge(first, second) {
      for (const [name, counts] of second) {
        const sums = first.get(name)!
        for (const [token, count] of counts) sums.set(token, (sums.get(token) ?? 0) + count)
      }
      return first
    },
    finish: (state) => Object.fromEntries(names.map((name) => [name, finish(state.get(name)!, name)])),
  }
}

/** Sequences as a column int32 `[rows, longest]`, filled up with padding. */
export function columnOfIds(sequences: readonly ArrayLike<number>[]): Column {
  const longest = sequences.reduce((most, { length }) => Math.max(most, length), 0)
  const data = new Int32Array(sequences.length * longest)
  for (const [row, ids] of sequences.entries()) data.set(ids, row * longest)
  return { data, shape: [sequences.length, longest] }
}

/** A row whose ids, where it has any, are texts again. */
export function rowOfTexts(
  row: Row,
  names: readonly string[],
  decode: (ids: readonly number[], name: string) => string,
): Row {
  const before = { ...row }
  for (const name of names.filter((name) => name in row)) {
    const value = row[name]
    const ids = typeof value === 'number' ? [value] : Array.from(value as ArrayLike<number>)
    before[name] = decode(
      ids.filter((id) => id !== PADDING),
      name,
    )
  }
  return before
}

/** The error for an id that no token has. */
export const unknownId = (kind: string, name: string, id: number, count: number) =>
  new DataError(`${kind} cannot turn a value of the column "${name}" back into text.`, {
    expected: `whole numbers from 0 to ${count - 1}`,
    received: id,
  })
