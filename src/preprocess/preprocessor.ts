/**
 * A chain of steps that is fitted once and then applied to every dataset, batch and row alike.
 *
 * Owns: order of steps, passes of fitting.
 * Leaves: what a step does to `steps/`, mistakes in the chain to `pipeline-check.ts`, the saved form to
 * `preprocessor-json.ts`, moving rows to data/.
 * @module
 */

import { ConfigError, checkGiven, DcmlError, StateError, withDefaults } from '../core/index.js'
import { type Columns, checkDataset, columnOf, columnsOfRows, Dataset, type Row, rowAt, rowsOf } from '../data/index.js'
import {
  type Augmentation,
  type AugmentOptions,
  augmented,
  checkAugmentation,
  type RowDraw,
  randomOfRows,
} from './augmentation.js'
import { ColumnSources } from './column-sources.js'
import { type ColumnKinds, checkPipeline, kindsOf } from './pipeline-check.js'
import { float32Among, inPrecision } from './precision.js'
import {
  assertFinite,
  type PreprocessorJson,
  readPreprocessorJson,
  writePreprocessorJson,
} from './preprocessor-json.js'
import type { Json, Step } from './step.js'
import { stepKinds } from './steps/index.js'

/** How rows are transformed to predict on. */
export interface PredictionOptions {
  /** Leaves all columns but these, and what is made of these, as they are or absent. @default every column counts */
  only?: readonly string[]
  /** Number of the first row, for messages. @default 0 */
  firstRow?: number
}

/**
 * Cleans and encodes data the same way in training and in use.
 *
 * @example
 * const preprocessor = new Preprocessor([dropMissing(), standardize('x'), oneHot('y')])
 * await preprocessor.fit(train)
 * const ready = preprocessor.transform(train)
 * const saved = JSON.stringify(preprocessor)
 */
export class Preprocessor {
  readonly #steps: readonly Step[]
  #fitted: Json[] | undefined
  /** What the columns held that it was fitted on. */
  #fittedOn: ColumnKinds | undefined
  /** Those that were float32 in the first dataset that it saw. */
  #float32: ReadonlySet<string> | undefined

  /**
   * @param steps - In the order in which they are applied.
   * @throws {ConfigError} naming the step that reads a column which an earlier one leaves out, or makes one again.
   */
  constructor(steps: readonly Step[]) {
    checkGiven(Array.isArray(steps), 'A preprocessor needs a list of steps.', {
      expected: "such as [standardize('x')]",
      received: steps,
    })
    steps.forEach((step, i) => {
      if (typeof step?.apply !== 'function')
        throw new ConfigError(`Step ${i} of the preprocessor is no step.`, {
          expected: "what a function like standardize('x') returns",
          received: step,
        })
    })
    checkPipeline(steps)
    checkAugmentation(steps)
    this.#steps = steps
    if (steps.every((step) => !step.fitting)) this.#fitted = steps.map(() => null)
  }

  /** Whether it can be used: after `fit`, or when no step has anything to learn. */
  get fitted(): boolean {
    return this.#fitted !== undefined
  }

  /** Whether it has seen a dataset: others are rounded to float32 where that one was, so that each value counts the same. */
  get knowsPrecision(): boolean {
    return this.#float32 !== undefined
  }

  /** The steps, in order. */
  get steps(): readonly Step[] {
    return this.#steps
  }

  /**
   * Learns from a dataset. Steps that do not depend on each other share a pass; one that reads what a learning step
   * makes needs the pass before to be done.
   *
   * @param data - A dataset, or its parts: they are read side by side, and what each told is merged in their order.
   * @returns This preprocessor.
   * @throws {DataError} naming the step, if a column is missing, holds the wrong kind of values, or none.
   */
  async fit(data: Dataset | readonly Dataset[]): Promise<this> {
    const parts: readonly Dataset[] = Array.isArray(data) ? data : [data as Dataset]
    for (const part of parts) checkDataset('What the preprocessor is to learn from', part)
    if (parts.length === 0) throw new ConfigError('A preprocessor needs data to learn from.', { received: '[]' })
    const whole = this.#steps.findIndex((step) => step.startPass)
    if (whole >= 0 && parts.length > 1)
      throw new ConfigError(`Step ${whole} (${this.#steps[whole]!.kind}) must see all rows in one pass.`, {
        expected: 'one dataset to fit on',
        received: `${parts.length} parts`,
      })
    for (const { resident } of parts) if (resident) this.#checkToFit(resident.columns)
    this.#float32 = undefined
    const fitted: Json[] = this.#steps.map(() => null)
    let fittedOn: ColumnKinds | undefined
    let start = 0
    while (start < this.#steps.length) {
      const end = this.#endOfPass(start)
      fittedOn = (await this.#fitPass(parts, fitted, start, end)) ?? fittedOn
      start = end
    }
    this.#fitted = fitted
    this.#fittedOn = fittedOn
    return this
  }

  /**
   * The dataset, transformed when it is read. Its `size` is unknown where a step leaves out rows.
   *
   * @param options - `augment`: as rows to train on, changed at random; see `augmentation`. @default as rows to evaluate
   * @throws {DataError} naming the step, if a column is missing or holds other values than those it was fitted on; of a
   *   stream, when it is read.
   */
  transform(dataset: Dataset, options: { augment?: AugmentOptions } = {}): Dataset {
    const { augment } = withDefaults('Preprocessor.transform', options, { augment: undefined })
    const fitted = this.#assertFitted('transform')
    const { augmentation } = this
    if (augment && augmentation) return augmented(augmentation.prepare(dataset), augmentation, augment)
    return this.#transformTo(dataset, fitted, this.#steps.length)
  }

  /** How rows to train on are changed at random; undefined where no step does it. `Trainer` does it by itself. */
  get augmentation(): Augmentation | undefined {
    const first = this.#steps.findIndex((step) => step.augment)
    if (first < 0) return undefined
    const fitted = this.#assertFitted('augmentation')
    return {
      prepare: (dataset) => this.#transformTo(dataset, fitted, first),
      augment: (columns, draw) => this.#apply(columns, fitted, first, this.#steps.length, { draw }),
    }
  }

  /**
   * Transforms columns at once; the ones that come in are not changed.
   *
   * @param prediction - With `only`, these are rows to predict on: there may be no target, and a row that a step would
   *   leave out is an error.
   * @throws {DataError} in prediction, naming row and column, where dropMissing meets a gap.
   */
  transformColumns(columns: Columns, prediction: PredictionOptions = {}): Columns {
    const fitted = this.#assertFitted('transformColumns')
    this.#check(columns, prediction.only)
    return this.#apply(inPrecision(columns, this.#float32), fitted, 0, this.#steps.length, prediction)
  }

  /**
   * Transforms one row.
   *
   * @returns The row; undefined where a step leaves it out.
   */
  transformRow(row: Row, prediction: PredictionOptions = {}): Row | undefined {
    const columns = this.transformColumns(columnsOfRows([row], { exact: this.knowsPrecision }), prediction)
    return rowsOf(columns) === 0 ? undefined : rowAt(columns, 0)
  }

  /**
   * Where the values of the prepared columns come from.
   *
   * @param columns - As for `transformColumns`, at least one row.
   * @returns By prepared column, for each value of a row: the name of the column that it was made of, such as `age`;
   *   with its place in the row where the column has several values, `x[3]`; of values that come of many, the step that
   *   made them, `pca(x)[0]`.
   */
  sources(columns: Columns, prediction: PredictionOptions = {}): Record<string, string[]> {
    const sources = new ColumnSources(columns)
    const fitted = this.#assertFitted('sources')
    this.#apply(columns, fitted, 0, this.#steps.length, {
      ...prediction,
      watch: (step, made) => sources.follow(step, made),
    })
    return sources.names
  }

  /** Undoes the steps that can be undone, last first, on the columns that the row has: `{ y: probabilities }` gives the category. */
  inverse(row: Row): Row {
    const fitted = this.#assertFitted('inverse')
    return this.#steps.reduceRight((after, step, i) => step.inverse?.(after, fitted[i]!) ?? after, row)
  }

  /** Called by `JSON.stringify`. */
  toJSON(): PreprocessorJson {
    return writePreprocessorJson({
      steps: this.#steps,
      fitted: this.#fitted,
      fittedOn: this.#fittedOn,
      float32: this.#float32 && [...this.#float32],
    })
  }

  /**
   * The inverse of `JSON.stringify`.
   *
   * @param json - The text, or what JSON.parse made of it.
   * @throws {StorageError} if it is of another format, of a newer version, or damaged.
   */
  static fromJSON(json: string | PreprocessorJson): Preprocessor {
    const { steps, fitted, fittedOn, float32 } = readPreprocessorJson(json)
    const preprocessor = new Preprocessor(steps)
    if (fitted) preprocessor.#fitted = fitted
    preprocessor.#fittedOn = fittedOn
    preprocessor.#float32 = float32 && new Set(float32)
    return preprocessor
  }

  /** Steps from `start` that can be fitted together: none reads what a step still to be fitted makes. */
  #endOfPass(start: number): number {
    const pending = new Set<string>()
    for (let i = start; i < this.#steps.length; i++) {
      const { reads, makes, fitting, learnsFrom = [] } = this.#steps[i]!
      const waits = reads === 'all' ? pending.size > 0 : [...reads, ...learnsFrom].some((name) => pending.has(name))
      if (waits) return i
      if (fitting && makes !== 'rows') for (const name of makes) pending.add(name)
    }
    return this.#steps.length
  }

  /** @returns What the columns hold, where the pass read any. */
  async #fitPass(
    parts: readonly Dataset[],
    fitted: Json[],
    start: number,
    end: number,
  ): Promise<ColumnKinds | undefined> {
    const learning = this.#steps.map((step, i) => (i >= start && i < end ? step.fitting : undefined))
    if (learning.every((fitting) => !fitting)) return undefined
    let kinds: ColumnKinds | undefined
    const states = await Promise.all(
      parts.map(async (part) => {
        const own = learning.map((fitting) => fitting?.start())
        const appliers = this.#appliers(fitted)
        for await (const batch of part.batches()) {
          kinds = this.#checkToFit(batch)
          let columns = this.#admit(batch, kinds)
          for (let i = 0; i < end; i++) {
            const fitting = learning[i]
            if (fitting) atStep(i, this.#steps[i]!, () => fitting.update(own[i], columns))
            else columns = appliers[i]!(columns)
          }
        }
        return own
      }),
    )
    learning.forEach((fitting, i) => {
      if (!fitting) return
      const step = this.#steps[i]!
      const state = states.map((own) => own[i]).reduce((first, second) => fitting.merge(first, second))
      fitted[i] = atStep(i, step, () => fitting.finish(state))
      assertFinite(fitted[i]!, `Step ${i} (${step.kind}) of the preprocessor`)
    })
    return kinds
  }

  #checkToFit(columns: Columns): ColumnKinds {
    return checkPipeline(this.#steps, { columns: kindsOf(columns), fits: true })
  }

  /** @param only - Of these columns; there may be others then. */
  #check(columns: Columns, only?: readonly string[]): ColumnKinds {
    const given = only ? Object.fromEntries(Object.entries(columns).filter(([name]) => only.includes(name))) : columns
    return checkPipeline(this.#steps, {
      columns: kindsOf(given),
      partial: only !== undefined,
      fittedOn: this.#fittedOn,
    })
  }

  /** Columns of a dataset in the precision of the first one. @param kinds - Of those that steps read. */
  #admit(columns: Columns, kinds: ColumnKinds): Columns {
    this.#float32 ??= float32Among(columns, Object.keys(kinds))
    return inPrecision(columns, this.#float32)
  }

  /** The dataset after the steps before `end`. */
  #transformTo(dataset: Dataset, fitted: readonly Json[], end: number): Dataset {
    if (dataset.resident) this.#check(dataset.resident.columns)
    const steps = this.#steps.slice(0, end)
    if (steps.some((step) => step.startPass))
      return Dataset.fromBatches(({ epoch }) => this.#pass(dataset.batches(undefined, { epoch }), fitted, end))
    const keepsRows = steps.every((step) => step.makes !== 'rows')
    const apply = (batch: Columns) => this.#apply(this.#admit(batch, this.#check(batch)), fitted, 0, end)
    return dataset.mapBatches(apply, { keepsRows })
  }

  /** One pass of batches through the steps before `end`. */
  async *#pass(batches: AsyncIterable<Columns>, fitted: readonly Json[], end: number): AsyncGenerator<Columns> {
    const appliers = this.#appliers(fitted).slice(0, end)
    for await (const batch of batches) {
      const admitted = this.#admit(batch, this.#check(batch))
      const columns = appliers.reduce((current, apply) => apply(current), admitted)
      if (rowsOf(columns) > 0) yield columns
    }
  }

  /** What each step does to the batches of one pass, in order. */
  #appliers(fitted: readonly Json[]): ((columns: Columns) => Columns)[] {
    return this.#steps.map((step, i) => {
      const pass = step.startPass?.()
      return pass
        ? (columns) => atStep(i, step, () => pass(columns))
        : (columns) => this.#apply(columns, fitted, i, i + 1)
    })
  }

  #apply(
    columns: Columns,
    fitted: readonly Json[],
    start: number,
    end: number,
    { only, firstRow = 0, draw, watch }: ApplyOptions = {},
  ): Columns {
    let current = columns
    const wanted = only && new Set(only)
    for (let i = start; i < end; i++) {
      const step = wanted ? forWanted(this.#steps[i]!, wanted, current) : this.#steps[i]!
      if (!step) continue
      const { reads, makes } = step
      current = atStep(i, step, () => {
        if (wanted && step.applyForPrediction) return step.applyForPrediction(current, fitted[i]!, firstRow)
        if (reads !== 'all') for (const name of reads) columnOf(current, name, step.kind)
        if (draw && step.augment) return step.augment(current, randomOfRows(draw, i))
        return step.apply(current, fitted[i]!)
      })
      watch?.(step, current)
      if (makes !== 'rows') for (const name of makes) if (Object.hasOwn(current, name)) wanted?.add(name)
    }
    return current
  }

  #assertFitted(use: string): readonly Json[] {
    if (this.#fitted) return this.#fitted
    const unfitted = this.#steps.findIndex((step) => step.fitting)
    throw new StateError(`Preprocessor.${use} was called before fit.`, {
      received: `step ${unfitted} (${this.#steps[unfitted]!.kind}), which must learn from data first`,
      remedy: 'Call await preprocessor.fit(train)',
    })
  }
}

interface ApplyOptions extends PredictionOptions {
  /** To train on. */
  draw?: RowDraw
  /** Is told of every step that was applied, and what there is after it. */
  watch?: (step: Step, made: Columns) => void
}

/** The step for those of its columns that are wanted, or undefined where it has nothing to do with them. */
function forWanted(step: Step, wanted: ReadonlySet<string>, current: Columns): Step | undefined {
  const { kind, options, reads, makes } = step
  if (reads === 'all') return step
  const columns = reads.filter((name) => wanted.has(name))
  const made = makes === 'rows' ? [] : makes
  if (columns.length === 0)
    return made.some((name) => wanted.has(name) && !Object.hasOwn(current, name)) ? step : undefined
  // A step that makes what it reads treats each column apart, so it can do without the target.
  const isApart = made.length === reads.length && made.every((name, i) => name === reads[i])
  if (columns.length === reads.length || !isApart || !Object.hasOwn(stepKinds, kind)) return step
  return stepKinds[kind]!({ ...options, columns })
}

/** Runs a part of a step; its errors say which step it was, and keep their class. */
function atStep<T>(index: number, step: Step, run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof DcmlError)) throw error
    const Class = error.constructor as new (what: string, details: { cause: unknown }) => DcmlError
    throw new Class(`Step ${index} (${step.kind}) of the preprocessor failed: ${error.message}`, { cause: error })
  }
}
