/**
 * Rows whose scores are kept, because a rank is only known when all rows are.
 *
 * Every kept column of scores is one question with the answers yes and no: is the row of this class?
 * @module
 */

import { ascendingOrder, ShapeError } from '../core/index.js'
import { type Metric, type Predictions, rowsIn, scoresFor, trueClasses, widthOf } from './metric.js'

/** Every row seen. */
export interface KeptScores {
  /** Columns of scores per row: the classes, or one for two classes. */
  columns: number
  /** Class of every row; with `multilabel` whether each label is there, row by row. */
  truth: number[]
  multilabel: boolean
  weights: number[]
  /** Row by row, one per column. */
  scores: number[]
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
  { multilabel = false }: KeptScoresOptions,
  compute: (state: KeptScores) => Result,
): Metric<KeptScores, Result> {
  return {
    name,
    create: () => ({ columns: 0, truth: [], multilabel, weights: [], scores: [] }),
    update: (state, batch) => keep(state, batch, name),
    merge(into, other) {
      into.columns = Math.max(into.columns, other.columns)
      for (const key of ['truth', 'weights', 'scores'] as const) append(into[key], other[key])
    },
    compute,
  }
}

/** Whether a row answers a column's question with yes. */
export function isPositive({ columns, truth, multilabel }: KeptScores, row: number, column: number): boolean {
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
  state: KeptScores,
  column: number,
  visit: (score: number, truePositives: number, falsePositives: number) => void,
  ofInterest?: (row: number) => boolean,
): void {
  const { columns, weights, scores } = state
  const values = columns === 1 ? scores : weights.map((_, row) => scores[row * columns + column]!)
  const order = ascendingOrder(values)
  let truePositives = 0
  let falsePositives = 0
  let score = Number.NaN
  for (let i = order.length - 1; i >= 0; i--) {
    const row = order[i]!
    const weight = weights[row]!
    if (weight === 0 || (ofInterest && !ofInterest(row))) continue
    if (values[row] !== score) {
      if (truePositives + falsePositives > 0) visit(score, truePositives, falsePositives)
      score = values[row]!
    }
    if (isPositive(state, row, column)) truePositives += weight
    else falsePositives += weight
  }
  if (truePositives + falsePositives > 0) visit(score, truePositives, falsePositives)
}

/** All cuts, from the highest score down. */
export function cutsOf(state: KeptScores, column: number): Cut[] {
  const cuts: Cut[] = []
  eachCut(state, column, (score, truePositives, falsePositives) => cuts.push({ score, truePositives, falsePositives }))
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
  state.columns = width === 2 && !multilabel ? 1 : width
  append(state.truth, multilabel ? batch.truth.data : trueClasses(batch))
  for (let row = 0; row < rows; row++) state.weights.push(batch.weights?.[row] ?? 1)
  if (width === 2 && !multilabel) for (let row = 0; row < rows; row++) state.scores.push(scores.data[row * 2 + 1]!)
  else append(state.scores, scores.data)
}

function append(to: number[], values: ArrayLike<number>): void {
  const start = to.length
  for (let i = 0; i < values.length; i++) to[start + i] = values[i]!
}
