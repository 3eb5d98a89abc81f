/**
 * Follows the columns through all steps before any of them runs, so that a mistake is named with its step.
 * @module
 */

import { ConfigError, DataError, didYouMean } from '../core/index.js'
import type { Columns } from '../data/index.js'
import type { ColumnKind, Step } from './step.js'

/** What each column of a dataset holds, by name. */
export type ColumnKinds = Record<string, ColumnKind>

/** What is known besides the steps. */
export interface PipelineInput {
  /** The columns of the dataset. @default not known yet */
  columns?: ColumnKinds
  /** Whether there may be further columns. @default false, where `columns` are given */
  partial?: boolean
  /** What the columns held that the steps were fitted on. */
  fittedOn?: ColumnKinds | undefined
  /** Whether the steps are about to be fitted, so that what they learn from must be there too. @default false */
  fits?: boolean
}

/** What columns hold. */
export const kindsOf = (columns: Columns): ColumnKinds =>
  Object.fromEntries(
    Object.entries(columns).map(([name, { data }]) => [name, Array.isArray(data) ? 'strings' : 'numbers']),
  )

/**
 * @returns What the columns of the dataset hold that the steps read, as far as it is known.
 * @throws {DataError} for a column that is missing or holds the wrong kind of values, naming the step.
 * @throws {ConfigError} for a column that an earlier step has left out, or that is made a second time.
 */
export function checkPipeline(steps: readonly Step[], input: PipelineInput = {}): ColumnKinds {
  const flow = new ColumnFlow(input)
  steps.forEach((step, index) => {
    const at = `Step ${index} (${step.kind}) of the preprocessor`
    const reads = step.reads === 'all' ? [] : step.reads
    const makes = step.makes === 'rows' ? [] : step.makes
    const needs = step.drops === 'others' ? makes : reads
    const before = new Map(needs.map((name) => [name, flow.read(name, at, step.takes)]))
    if (input.fits) for (const name of step.learnsFrom ?? []) flow.read(name, at)
    const kindOf = (name: string, i: number) => {
      if (step.gives) return step.gives
      return before.get(name) ?? (reads.length === makes.length ? before.get(reads[i]!) : undefined)
    }
    const made = makes.map((name, i) => [name, kindOf(name, i)] as const)
    flow.drop(step.drops, makes, at)
    for (const [name, kind] of made) flow.make(name, kind, at, needs.includes(name))
  })
  return flow.inputs
}

interface Known {
  kind: ColumnKind | undefined
  /** Who made it; undefined: it is one of the dataset's. */
  by: string | undefined
}

/** The columns between two steps. */
class ColumnFlow {
  /** Columns of the dataset that were read, and what they hold. */
  readonly inputs: ColumnKinds = {}
  readonly #columns = new Map<string, Known>()
  /** What left out a column. */
  readonly #gone = new Map<string, string>()
  readonly #fittedOn: ColumnKinds | undefined
  /** Whether a column that is not known is not there. */
  #complete: boolean
  /** What left out every column that is not known. */
  #closedBy: string | undefined

  constructor({ columns, partial = false, fittedOn }: PipelineInput) {
    for (const [name, kind] of Object.entries(columns ?? {})) this.#columns.set(name, { kind, by: undefined })
    this.#complete = columns !== undefined && !partial
    this.#fittedOn = fittedOn
  }

  read(name: string, at: string, takes?: ColumnKind): ColumnKind | undefined {
    const column = this.#columns.get(name) ?? this.#assume(name, at)
    const { kind, by } = column
    const source = by === undefined ? `The column "${name}"` : `The column "${name}" that ${lower(by)} makes`
    if (takes && kind && takes !== kind)
      throw new DataError(`${at} needs ${takes} in the column "${name}".`, {
        received: kind,
        remedy:
          takes === 'numbers' ? `Encode it first, for example with ordinal('${name}')` : 'Leave it as strings before',
      })
    const fitted = by === undefined && this.#fittedOn && Object.hasOwn(this.#fittedOn, name) && this.#fittedOn[name]
    if (fitted && kind && fitted !== kind)
      throw new DataError(`${source}, which ${lower(at)} reads, holds another kind of values than it was fitted on.`, {
        expected: fitted,
        received: kind,
      })
    if (by === undefined && kind) this.inputs[name] = kind
    // The first step that needs a kind decides what a column holds of which nothing is known.
    if (takes) this.#columns.set(name, { kind: takes, by })
    return kind ?? takes
  }

  make(name: string, kind: ColumnKind | undefined, at: string, isRead: boolean): void {
    const before = this.#columns.get(name)
    if (before && !isRead)
      throw new ConfigError(`${at} makes the column "${name}", which is there already.`, {
        expected: `a name besides ${[...this.#columns.keys()].join(', ')}`,
        received: before.by === undefined ? 'a column of the dataset' : `what ${lower(before.by)} makes`,
        remedy: 'Give it another name, or leave out the column before with select()',
      })
    this.#columns.set(name, { kind, by: at })
    this.#gone.delete(name)
  }

  drop(drops: Step['drops'], makes: readonly string[], at: string): void {
    if (drops === 'others') {
      for (const name of this.#columns.keys()) if (!makes.includes(name)) this.#leaveOut(name, at)
      if (!this.#complete) this.#closedBy = at
      this.#complete = true
    } else for (const name of drops ?? []) this.#leaveOut(name, at)
  }

  #leaveOut(name: string, at: string): void {
    this.#columns.delete(name)
    this.#gone.set(name, at)
  }

  #assume(name: string, at: string): Known {
    const by = this.#gone.get(name) ?? this.#closedBy
    if (by !== undefined)
      throw new ConfigError(`${at} needs the column "${name}", which ${lower(by)} leaves out.`, {
        remedy: 'Change the order of the two, or name another column',
      })
    if (this.#complete)
      throw new DataError(`${at} needs the column "${name}".`, {
        received: `the columns ${[...this.#columns.keys()].join(', ')}`,
        remedy:
          didYouMean(name, [...this.#columns.keys()]) ?? 'Name one of these columns, or rename yours with rename()',
      })
    const known: Known = { kind: undefined, by: undefined }
    this.#columns.set(name, known)
    return known
  }
}

/** A step within a sentence. */
const lower = (at: string) => at.charAt(0).toLowerCase() + at.slice(1).replace(' of the preprocessor', '')
