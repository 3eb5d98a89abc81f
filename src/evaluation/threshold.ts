/** Where to cut between two classes. @module */

import { ConfigError, DataError, withDefaults } from '../core/index.js'
import {
  type ClassCounts,
  eachCut,
  fBetaOf,
  precisionOf,
  ratio,
  recallOf,
  rowsIn,
  scoresFor,
  trueClasses,
  widthOf,
} from '../metrics/index.js'
import { type PredictionArrays, predictionsOf } from './prediction-arrays.js'

/** What the threshold shall reach. */
export interface ThresholdOptions {
  /**
   * What is made as large as can be. 'youden' is the true positive rate minus the false positive rate; a function gets
   * the counts and gives a number, such as minus the cost of errors.
   * @default 'f1'
   */
  maximize?: 'f1' | 'youden' | 'accuracy' | 'precision' | 'recall' | ((counts: ClassCounts) => number)
  /** Least precision, 0 to 1. @default 0 */
  minPrecision?: number
  /** Least recall, 0 to 1. @default 0 */
  minRecall?: number
}

/** A threshold and what it does. */
export interface Threshold {
  /** A row is of class 1 when its score is at least this. */
  threshold: number
  /** The value that was made largest. */
  value: number
  precision: number
  recall: number
  counts: ClassCounts
}

/**
 * The best threshold between two classes, of all that tell the given rows apart otherwise; of equal ones the highest.
 *
 * Choose it on validation data: on the data that the model was trained on it is too bold.
 *
 * @param arrays - Truth of two classes and scores, `[rows]`, `[rows, 1]` or `[rows, 2]`.
 * @throws {DataError} if no threshold meets the conditions, or the rows are of one class.
 * @example
 * findThreshold({ truth, scores }, { maximize: 'recall', minPrecision: 0.9 }).threshold
 */
export function findThreshold(arrays: PredictionArrays, options: ThresholdOptions = {}): Threshold {
  const { maximize, minPrecision, minRecall } = withDefaults('findThreshold', options, {
    maximize: 'f1',
    minPrecision: 0,
    minRecall: 0,
  })
  const predictions = predictionsOf(arrays)
  const rows = rowsIn(predictions)
  const scores = scoresFor('findThreshold', predictions)
  const width = widthOf(scores)
  if (width > 2)
    throw new ConfigError('A threshold is for two classes.', { expected: '[rows, 2]', received: `[rows, ${width}]` })
  const truth = trueClasses(predictions)
  const { weights } = predictions
  const scored = {
    columns: 1,
    rows,
    truth,
    multilabel: false,
    scores: Float64Array.from({ length: rows }, (_, row) => scores.data[(row + 1) * width - 1]!),
    ...(weights && { weights }),
  }
  let positives = 0
  let negatives = 0
  truth.forEach((label, row) => {
    const weight = weights?.[row] ?? 1
    if (label === 1) positives += weight
    else negatives += weight
  })
  if (positives === 0 || negatives === 0)
    throw new DataError('A threshold needs rows of both classes.', { received: `${rows} rows of one class` })
  const measure = typeof maximize === 'function' ? maximize : measures[maximize]
  let best: Threshold | undefined
  eachCut(scored, 0, (threshold, truePositives, falsePositives) => {
    const counts = {
      truePositives,
      falsePositives,
      falseNegatives: positives - truePositives,
      trueNegatives: negatives - falsePositives,
    }
    const precision = precisionOf(counts)
    const recall = recallOf(counts)
    if (precision < minPrecision || recall < minRecall) return
    const value = measure(counts)
    if (!best || value > best.value) best = { threshold, value, precision, recall, counts }
  })
  if (best) return best
  throw new DataError('No threshold reaches what is asked for.', {
    expected: `precision of at least ${minPrecision} and recall of at least ${minRecall}`,
    remedy: 'Ask for less, or train a better model',
  })
}

const measures = {
  f1: fBetaOf(1),
  youden: ({ truePositives, falsePositives, falseNegatives, trueNegatives }: ClassCounts) =>
    ratio(truePositives, truePositives + falseNegatives) - ratio(falsePositives, falsePositives + trueNegatives),
  accuracy: ({ truePositives, falsePositives, falseNegatives, trueNegatives }: ClassCounts) =>
    ratio(truePositives + trueNegatives, truePositives + falsePositives + falseNegatives + trueNegatives),
  precision: precisionOf,
  recall: recallOf,
}
