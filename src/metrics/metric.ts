/**
 * The contract of a metric over a whole evaluation, and the form in which it gets predictions.
 * @module
 */

import { ConfigError, ShapeError } from '../core/index.js'

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
  return rows
}

/** Values per row. */
export const widthOf = ({ shape }: Values): number => shape.slice(1).reduce((size, length) => size * length, 1)

/** True class of every row, `[rows]`. */
export function trueClasses({ truth }: Predictions): Int32Array {
  return widthOf(truth) > 1 ? largest(truth) : wholeNumbers(truth)
}

/** Predicted class of every row, `[rows]`: as given, else the most probable one. */
export function predictedClasses({ predicted, scores }: Predictions): Int32Array {
  if (predicted) return widthOf(predicted) > 1 ? largest(predicted) : wholeNumbers(predicted)
  if (!scores) throw new ConfigError('There are no predictions.', { remedy: 'Pass predicted or scores' })
  if (widthOf(scores) > 1) return largest(scores)
  return Int32Array.from(scores.data, (score) => (score > 0.5 ? 1 : 0))
}

/** Probabilities, or an error that says which metric needs them. */
export function scoresFor(metric: string, { scores }: Predictions): Values {
  if (scores) return scores
  throw new ConfigError(`The metric '${metric}' needs the probabilities of the classes.`, {
    remedy: 'Pass scores: [rows, classes]',
  })
}

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
  return Int32Array.from(data)
}
