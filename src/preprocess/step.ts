/**
 * The contract of a preprocessing step.
 *
 * A step says which columns it reads and makes, collects what it must know in a mergeable state, and is then a pure
 * function of columns and of what was fitted. It is made from plain options, from which it can be made again.
 * @module
 */

import type { Random } from '../core/index.js'
import type { Columns, Row } from '../data/index.js'

/** Anything that survives JSON. Numbers that are not finite do not. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json | undefined }

/** What a column holds. */
export type ColumnKind = 'numbers' | 'strings'

/**
 * How a step learns from data, one pass, a part at a time.
 *
 * @typeParam State - What is collected; parts of the data may be collected apart and merged.
 */
export interface Fitting<State> {
  /** The state of no rows. */
  start(): State
  /** Takes in rows; changes `state`. */
  update(state: State, columns: Columns): void
  /** The state of all rows of both; may change and return `first`. */
  merge(first: State, second: State): State
  /** What `apply` needs, as plain data. Throws a DataError where the rows do not suffice. */
  finish(state: State): Json
}

/** Gives the random numbers for a row, by its index. */
export type RandomOf = (row: number) => Random

/** One step of a `Preprocessor`. */
export interface Step {
  /** Name of the function that makes it. */
  readonly kind: string
  /** What it was made from: `stepKinds[kind](options)` makes it again. */
  readonly options: { [key: string]: Json | undefined }
  /** Columns that must be there; `'all'`: it depends on every column. */
  readonly reads: readonly string[] | 'all'
  /** Columns that it makes or changes; `'rows'`: it leaves out rows. The same as `reads`: it treats each column apart. */
  readonly makes: readonly string[] | 'rows'
  /** Columns that are gone afterwards; `'others'`: all but those that it makes, which must be there. @default none */
  readonly drops?: readonly string[] | 'others'
  /** What the columns that it reads must hold. @default either */
  readonly takes?: ColumnKind
  /** What the columns that it makes hold. @default what those held that it made them of */
  readonly gives?: ColumnKind
  /** Whether each value that it makes comes of many values of a row, so that there is no telling which. @default false */
  readonly mixes?: boolean
  /** Columns that only `fitting` reads, such as the target, which need not be there later. @default none */
  readonly learnsFrom?: readonly string[]
  /** Absent: nothing to learn. */
  readonly fitting?: Fitting<unknown>
  /** New columns; those that come in are not changed. `fitted` is what `finish` gave, or null. */
  apply(columns: Columns, fitted: Json): Columns
  /** For a step that must know the rows before: begins a pass over a dataset. What it returns takes the place of `apply`. */
  startPass?(): (columns: Columns) => Columns
  /**
   * What it does in place of `apply` to rows to train on, where that is random. Statistics, evaluation and prediction
   * see what `apply` does, often nothing. Steps that leave out rows come before the first one that has it.
   *
   * @param randomOf - A new generator for a row of these columns, the same for the same seed, epoch and row. Asked again
   *   it starts over, so that a picture and its mask in two columns are changed alike.
   */
  augment?(columns: Columns, randomOf: RandomOf): Columns
  /**
   * What it does in place of `apply` to rows to predict on, where that differs: the target may be missing there, and
   * every row needs an answer.
   *
   * @param firstRow - Number of the first row, for messages.
   */
  applyForPrediction?(columns: Columns, fitted: Json, firstRow: number): Columns
  /** The values before `apply`, as far as they can be known. Absent: the row stays as it is. */
  inverse?(row: Row, fitted: Json): Row
}

/** Joins the state type of a fitting to the untyped contract. */
export const fittingOf = <State>(fitting: Fitting<State>): Fitting<unknown> => fitting as Fitting<unknown>
