/** How well scores tell rows of a class from the others, at all thresholds at once. @module */

import { ConfigError, DataError, withDefaults } from '../core/index.js'
import {
  eachCut,
  fromKeptScores,
  isPositive,
  type KeptScores,
  type KeptScoresOptions,
  type ScoredRows,
} from './kept-scores.js'
import type { Metric } from './metric.js'

/** Options of `rocAuc` and `averagePrecision`. */
export interface RankOptions extends KeptScoresOptions {
  /**
   * - macro: mean over the classes that have rows on both sides.
   * - weighted: the same, weighted by how many rows are of the class.
   * - micro: every class of every row is a question of its own.
   * - none: one value per class; NaN where a side has no row.
   * @default 'macro'
   */
  average?: 'macro' | 'weighted' | 'micro' | 'none'
}

/** Options of `rocAuc`. */
export interface RocAucOptions extends RankOptions {
  /**
   * With more than two classes: each against the rest, or each against each other.
   * @default 'ovr'
   * @see Hand and Till 2001, https://doi.org/10.1023/A:1010920819831, for 'ovo'
   */
  multiclass?: 'ovr' | 'ovo'
}

/**
 * Area under the ROC curve: the probability that a row of the class scores above one that is not, ties counting half.
 *
 * `compute` throws a DataError when no class has rows on both sides.
 */
export function rocAuc(options: RocAucOptions = {}): Metric<KeptScores, number | number[]> {
  const { multiclass, average, multilabel } = withDefaults('rocAuc', options, {
    multiclass: 'ovr',
    average: 'macro',
    multilabel: false,
  })
  if (multiclass === 'ovo' && (average === 'micro' || average === 'none' || multilabel))
    throw new ConfigError('rocAuc compares pairs of classes as a mean over pairs.', {
      expected: "average 'macro' or 'weighted', and one class per row",
      received: multilabel ? 'multilabel' : average,
    })
  return fromKeptScores('rocAuc', { multilabel }, (state) => {
    if (state.columns > 1 && multiclass === 'ovo') return overPairs(state, average === 'weighted')
    return overColumns('rocAuc', state, average, areaOf)
  })
}

/**
 * Mean of the precision at every row of the class, from the highest score down: sum of (R_n - R_(n-1)) P_n over the
 * thresholds.
 *
 * `compute` throws a DataError when no class has rows on both sides.
 */
export function averagePrecision(options: RankOptions = {}): Metric<KeptScores, number | number[]> {
  const { average, multilabel } = withDefaults('averagePrecision', options, { average: 'macro', multilabel: false })
  return fromKeptScores('averagePrecision', { multilabel }, (state) =>
    overColumns('averagePrecision', state, average, precisionsOf),
  )
}

/** The value of one column, and the weight of the rows on both sides. */
interface ColumnValue {
  value: number
  positives: number
  negatives: number
}

/** Area under the ROC curve of one column, by trapezes. */
function areaOf(scored: ScoredRows, column: number, ofInterest?: (row: number) => boolean): ColumnValue {
  let area = 0
  let positives = 0
  let negatives = 0
  eachCut(
    scored,
    column,
    (_, truePositives, falsePositives) => {
      area += ((falsePositives - negatives) * (truePositives + positives)) / 2
      positives = truePositives
      negatives = falsePositives
    },
    ofInterest,
  )
  return { value: area / (positives * negatives), positives, negatives }
}

function precisionsOf(scored: ScoredRows, column: number): ColumnValue {
  let sum = 0
  let positives = 0
  let negatives = 0
  eachCut(scored, column, (_, truePositives, falsePositives) => {
    sum += ((truePositives - positives) * truePositives) / (truePositives + falsePositives)
    positives = truePositives
    negatives = falsePositives
  })
  return { value: sum / positives, positives, negatives }
}

function overColumns(
  name: string,
  scored: ScoredRows,
  average: NonNullable<RankOptions['average']>,
  measure: (scored: ScoredRows, column: number) => ColumnValue,
): number | number[] {
  const asked = average === 'micro' && scored.columns > 1 ? asQuestions(scored) : scored
  const columns = Array.from({ length: asked.columns }, (_, column) => measure(asked, column))
  const isKnown = ({ positives, negatives }: ColumnValue) => positives > 0 && negatives > 0
  if (average === 'none') return columns.map((column) => (isKnown(column) ? column.value : Number.NaN))
  let sum = 0
  let weight = 0
  for (const column of columns.filter(isKnown)) {
    const share = average === 'weighted' ? column.positives : 1
    sum += column.value * share
    weight += share
  }
  return checked(name, sum / weight)
}

/** Every class of every row as a row with two classes. */
function asQuestions(scored: ScoredRows): ScoredRows {
  const { columns, scores, weights } = scored
  const rows = scored.rows * columns
  const truth = Uint8Array.from({ length: rows }, (_, i) =>
    Number(isPositive(scored, Math.floor(i / columns), i % columns)),
  )
  const repeated = weights && Float64Array.from({ length: rows }, (_, i) => weights[Math.floor(i / columns)]!)
  return { columns: 1, rows, truth, multilabel: false, scores, ...(repeated && { weights: repeated }) }
}

/** Mean over pairs of classes, each pair judged by the scores of both. */
function overPairs(scored: ScoredRows, weighted: boolean): number {
  const support = new Float64Array(scored.columns)
  for (let row = 0; row < scored.rows; row++) support[scored.truth[row]!]! += scored.weights?.[row] ?? 1
  let sum = 0
  let weight = 0
  for (let a = 0; a < scored.columns; a++)
    for (let b = a + 1; b < scored.columns; b++) {
      if (support[a] === 0 || support[b] === 0) continue
      const inPair = (row: number) => scored.truth[row] === a || scored.truth[row] === b
      const both = (areaOf(scored, a, inPair).value + areaOf(scored, b, inPair).value) / 2
      const share = weighted ? support[a]! + support[b]! : 1
      sum += both * share
      weight += share
    }
  return checked('rocAuc', sum / weight)
}

function checked(name: string, value: number): number {
  if (!Number.isNaN(value)) return value
  throw new DataError(`'${name}' is not defined for these rows.`, {
    expected: 'rows that are of a class and rows that are not',
    received: 'one of the two only',
    remedy: 'Evaluate rows of more than one class',
  })
}
