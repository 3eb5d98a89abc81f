/**
 * Rows whose scores are kept, because a rank is only known when all rows are.
 *
 * Every kept column of scores is one question with the answers yes and no: is the row of this class?
 * @module
 */

import { ascending, ShapeError } from '../core/index.js'
import { type Metric, type Predictions, rowsIn, scoresFor, trueClasses, widthOf } from './metric.js'

/** Every row seen. */
export interface KeptScores {
  /** Columns of scores per row: the classes, or one for two classes. */
  columns: number
  multilabel: boolean
  /** Batch by batch; never changed, so that states may share them. */
  parts: KeptPart[]
}

/** The rows of a batch. */
export interface KeptPart {
  /** Class of every row; with `multilabel` whether each label is there, row by row. */
  truth: ArrayLike<number>
  /** Absent: each is 1. */
  weights?: ArrayLike<number>
  /** Row by row, one per column. */
  scores: ArrayLike<number>
}

/** All rows, joined. */
export interface ScoredRows extends Omit<KeptScores, 'parts'>, KeptPart {
  rows: number
}

/** What to ask of rows with several classes. */
export interface KeptScoresOptions {
  /**
   * Whether each row may have any number of labels: truth and scores are then `[rows, labels]`, the truth 0 or 1.
   * @default false
   */
  multilabel?: boolean
}

/** A metric over rows that are kept. */
export function fromKeptScores<Result>(
  name: string,
  { multilabel }: Required<KeptScoresOptions>,
  compute: (rows: ScoredRows) => Result,
): Metric<KeptScores, Result> {
  return {
    name,
    create: () => ({ columns: 0, multilabel, parts: [] }),
    update: (state, batch) => keep(state, batch, name),
    merge(into, other) {
      into.columns = Math.max(into.columns, other.columns)
      for (const part of other.parts) into.parts.push(part)
    },
    compute: (state) => compute(joined(state)),
  }
}

/** Whether a row answers a column's question with yes. */
export function isPositive({ columns, truth, multilabel }: ScoredRows, row: number, column: number): boolean {
  if (multilabel) return truth[row * columns + column] === 1
  return truth[row] === (columns === 1 ? 1 : column)
}

/** Weight of positive and negative rows whose score is `score` or above, for each score that occurs. */
export interface Cut {
  score: number
  truePositives: number
  falsePositives: number
}

/**
 * Visits every place where the rows can be cut in two by their score, from the highest score down.
 *
 * @param visit - Called once for each score that occurs, with the weight of positive and negative rows from there up.
 * @param ofInterest - Rows that take part. Rows of weight 0 never do.
 */
export function eachCut(
  scored: ScoredRows,
  column: number,
  visit: (score: number, truePositives: number, falsePositives: number) => void,
  ofInterest?: (row: number) => boolean,
): void {
  const { columns, rows, weights, scores } = scored
  const values =
    columns === 1 ? scores : Float64Array.from({ length: rows }, (_, row) => scores[row * columns + column]!)
  // What a row adds, below 0 for the negatives: the rows are visited far from their order, so one look must do.
  const signed = new Float64Array(rows)
  for (let row = 0; row < rows; row++) {
    const weight = ofInterest && !ofInterest(row) ? 0 : (weights?.[row] ?? 1)
    signed[row] = isPositive(scored, row, column) ? weight : -weight
  }
  const { order, sorted } = ascending(values)
  let truePositives = 0
  let falsePositives = 0
  let score = Number.NaN
  for (let i = order.length - 1; i >= 0; i--) {
    const weight = signed[order[i]!]!
    if (weight === 0) continue
    if (sorted[i] !== score) {
      if (truePositives + falsePositives > 0) visit(score, truePositives, falsePositives)
      score = sorted[i]!
    }
    if (weight > 0) truePositives += weight
    else falsePositives -= weight
  }
  if (truePositives + falsePositives > 0) visit(score, truePositives, falsePositives)
}

/** All cuts, from the highest score down. */
export function cutsOf(scored: ScoredRows, column: number): Cut[] {
  const cuts: Cut[] = []
  eachCut(scored, column, (score, truePositives, falsePositives) => cuts.push({ score, truePositives, falsePositives }))
  return cuts
}

function keep(state: KeptScores, batch: Predictions, name: string): void {
  const rows = rowsIn(batch)
  const scores = scoresFor(name, batch)
  const width = widthOf(scores)
  const { multilabel } = state
  if (multilabel && widthOf(batch.truth) !== width)
    throw new ShapeError('The scores of the labels do not match the truth.', {
      expected: `${widthOf(batch.truth)} labels per row`,
      received: `${width}`,
    })
  const isPair = width === 2 && !multilabel
  state.columns = isPair ? 1 : width
  state.parts.push(
    new Part(
      multilabel ? new Float64Array(batch.truth.data) : trueClasses(batch),
      isPair
        ? Float64Array.from({ length: rows }, (_, row) => scores.data[row * 2 + 1]!)
        : new Float64Array(scores.data),
      batch.weights && new Float64Array(batch.weights),
    ),
  )
}

/** A part that comes out of JSON with arrays, as out of a message to a thread with typed ones. */
class Part implements KeptPart {
  declare readonly weights?: Float64Array

  constructor(
    readonly truth: Int32Array | Float64Array,
    readonly scores: Float64Array,
    weights: Float64Array | undefined,
  ) {
    if (weights) this.weights = weights
  }

  toJSON(): KeptPart {
    const { truth, scores, weights } = this
    return {
      truth: Array.from(truth),
      scores: Array.from(scores),
      ...(weights && { weights: Array.from(weights) }),
    }
  }
}

function joined({ columns, multilabel, parts }: KeptScores): ScoredRows {
  const rows = parts.reduce((sum, { scores }) => sum + scores.length, 0) / Math.max(1, columns)
  const all = { columns, multilabel, rows }
  if (parts.length === 1) return { ...all, ...fieldsOf(parts[0]!) }
  const join = (valuesOf: (part: KeptPart) => ArrayLike<number>) => {
    const lists = parts.map(valuesOf)
    const values = new Float64Array(lists.reduce((sum, { length }) => sum + length, 0))
    let offset = 0
    for (const list of lists) {
      values.set(list, offset)
      offset += list.length
    }
    return values
  }
  const ones = ({ scores }: KeptPart) => new Float64Array(scores.length / columns).fill(1)
  return {
    ...all,
    truth: join(({ truth }) => truth),
    scores: join(({ scores }) => scores),
    ...(parts.some(({ weights }) => weights) && { weights: join((part) => part.weights ?? ones(part)) }),
  }
}

const fieldsOf = ({ truth, scores, weights }: KeptPart): KeptPart => ({ truth, scores, ...(weights && { weights }) })
