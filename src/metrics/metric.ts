/**
 * The contract of a metric over a whole evaluation, and the form in which it gets predictions.
 * @module
 */

import { ConfigError, DataError, ShapeError } from '../core/index.js'

/** Numbers with a shape, `[rows, ...]`. */
export interface Values {
  data: ArrayLike<number>
  shape: readonly number[]
}

/** Predictions and the truth, for some rows. */
export interface Predictions {
  /** Class numbers `[rows]`, one-hot rows `[rows, classes]`, or real targets `[rows, ...]`. */
  truth: Values
  /** Class numbers or real values, `[rows, ...]`. Absent: taken from `scores`. */
  predicted?: Values
  /** Probabilities, `[rows, classes]`, or those of the second of two classes, `[rows]` or `[rows, 1]`. */
  scores?: Values
  /**
   * Weight of each row, at least 0.
   * @default 1
   */
  weights?: ArrayLike<number>
}

/**
 * A metric: parts of the data may be taken in apart, and their states merged.
 *
 * @typeParam State - Plain data, so that it can be sent from thread to thread.
 * @typeParam Result - What `compute` gives: mostly a number.
 * @typeParam Batch - What it looks at.
 */
export interface Metric<State = unknown, Result = unknown, Batch = Predictions> {
  readonly name: string
  /** A state that has seen nothing. */
  create(): State
  /** Takes in rows; changes `state`. */
  update(state: State, batch: Batch): void
  /** Adds the rows of `other` to `into`. */
  merge(into: State, other: State): void
  /** The value of all that the state has seen. */
  compute(state: State): Result
}

/** Number of rows. @throws {ShapeError} if truth and predictions have unequal numbers of rows. */
export function rowsIn({ truth, predicted, scores, weights }: Predictions): number {
  const rows = truth.shape[0] ?? 0
  for (const [what, count] of [
    ['predicted values', predicted?.shape[0]],
    ['scores', scores?.shape[0]],
    ['weights', weights?.length],
  ] as const) {
    if (count !== undefined && count !== rows)
      throw new ShapeError(`The ${what} do not match the truth.`, {
        expected: `${rows} rows`,
        received: `${count} rows`,
      })
  }
  if (weights) checkWeights(weights)
  return rows
}

function checkWeights(weights: ArrayLike<number>): void {
  for (let row = 0; row < weights.length; row++)
    if (!(weights[row]! >= 0))
      throw new DataError(`The weight of row ${row} is out of range.`, {
        expected: 'a number of at least 0',
        received: weights[row],
      })
}

/** Values per row. */
export const widthOf = ({ shape }: Values): number => shape.slice(1).reduce((size, length) => size * length, 1)

/** True class of every row, `[rows]`. */
export function trueClasses({ truth }: Predictions): Int32Array {
  return widthOf(truth) > 1 ? largest(truth) : wholeNumbers(truth)
}

/** Predicted class of every row, `[rows]`: as given, else the most probable one. */
export function predictedClasses({ predicted, scores }: Predictions): Int32Array {
  if (predicted) return widthOf(predicted) > 1 ? largest(checkedScores(predicted)) : wholeNumbers(predicted)
  if (!scores) throw new ConfigError('There are no predictions.', { remedy: 'Pass predicted or scores' })
  checkedScores(scores)
  if (widthOf(scores) > 1) return largest(scores)
  return Int32Array.from(scores.data, (score) => (score > 0.5 ? 1 : 0))
}

/** Probabilities, or an error that says which metric needs them. @throws {DataError} if one is NaN. */
export function scoresFor(metric: string, { scores }: Predictions): Values {
  if (scores) return checkedScores(scores)
  throw new ConfigError(`The metric '${metric}' needs the probabilities of the classes.`, {
    remedy: 'Pass scores: [rows, classes]',
  })
}

/**
 * The score that each row gives a class.
 *
 * @param metric - For messages.
 * @returns Of a row, the score of a class; a single score per row is that of the second of two classes.
 * @throws {DataError} if a true class has no score.
 */
export function classScoresFor(metric: string, batch: Predictions) {
  const scores = scoresFor(metric, batch)
  const given = widthOf(scores)
  const classes = Math.max(2, given)
  const actual = trueClasses(batch)
  actual.forEach((label, row) => {
    if (label >= classes)
      throw new DataError(`The true class of row ${row} has no score.`, {
        expected: `0 to ${classes - 1}`,
        received: label,
        remedy: `Pass a score for each class to '${metric}'`,
      })
  })
  const scoreOf = (row: number, label: number) => {
    if (given > 1) return scores.data[row * given + label]!
    return label === 1 ? scores.data[row]! : 1 - scores.data[row]!
  }
  return { classes, actual, scoreOf }
}

function checkedScores(scores: Values): Values {
  const { data } = scores
  for (let i = 0; i < data.length; i++)
    if (Number.isNaN(data[i]))
      throw new DataError(`The score of row ${Math.floor(i / widthOf(scores))} is not a number.`, {
        received: data[i],
        remedy: 'Look for such values in the data, or for a training that diverged',
      })
  return scores
}

/** Index of the largest value of each row; of equal ones the first. */
function largest(values: Values): Int32Array {
  const width = widthOf(values)
  const { data } = values
  return Int32Array.from({ length: values.shape[0]! }, (_, row) => {
    let best = 0
    for (let i = 1; i < width; i++) if (data[row * width + i]! > data[row * width + best]!) best = i
    return best
  })
}

function wholeNumbers({ data }: Values): Int32Array {
  for (let row = 0; row < data.length; row++)
    if (!Number.isInteger(data[row]) || data[row]! < 0)
      throw new ConfigError(`Row ${row} holds no class number.`, {
        expected: 'a whole number from 0',
        received: data[row],
        remedy: 'Use a metric for real numbers, such as mse(), or encode the classes',
      })
  return new Int32Array(data)
}
