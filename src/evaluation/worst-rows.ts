/** The rows that a model is most wrong about. @module */

import { ConfigError, checkWhole, withDefaults } from '../core/index.js'
import { classScoresFor, type Predictions, predictedClasses, rowsIn, widthOf } from '../metrics/index.js'

/** Which rows are listed. */
export interface WorstOptions {
  /** @default 20 */
  count?: number
  /**
   * What makes a row bad: the surprise at its true class, -log p in nats, or the absolute error, mean over outputs.
   * @default 'logLoss'
   */
  by?: 'logLoss' | 'absoluteError'
}

/** A row, the worst first. */
export interface WorstRow {
  /** Its number in the dataset, from 0. */
  row: number
  loss: number
  /** Class, or values. */
  truth: number | number[]
  predicted: number | number[]
  /** Of classes: probability of the one predicted. */
  probability?: number
}

/** Keeps the worst rows of what passes. */
export class WorstRows {
  readonly #count: number
  readonly #by: 'logLoss' | 'absoluteError'
  #worst: WorstRow[] = []
  #seen = 0

  /** @throws {ConfigError} if the count is no count. */
  constructor(options: WorstOptions = {}) {
    const { count, by } = withDefaults('worst', options, { count: 20, by: 'logLoss' })
    checkWhole('The count of worst rows', count)
    this.#count = count
    this.#by = by
  }

  take(batch: Predictions): void {
    const rows = rowsIn(batch)
    const judge = this.#by === 'logLoss' ? classJudge(batch) : valueJudge(batch)
    const found = Array.from({ length: rows }, (_, row) => ({ row: this.#seen + row, ...judge(row) }))
    this.#seen += rows
    this.#worst = [...this.#worst, ...found].sort(worstFirst).slice(0, this.#count)
  }

  list(): readonly WorstRow[] {
    return this.#worst
  }
}

/** By loss; Infinity minus itself is no order. */
const worstFirst = (a: WorstRow, b: WorstRow) => (a.loss === b.loss ? a.row - b.row : b.loss - a.loss)

type Judge = (row: number) => Omit<WorstRow, 'row'>

function classJudge(batch: Predictions): Judge {
  if (!batch.scores)
    throw new ConfigError("The worst rows by 'logLoss' need the probabilities of the classes.", {
      remedy: "Pass scores, or worst: { by: 'absoluteError' }",
    })
  const { actual, scoreOf } = classScoresFor('worst', batch)
  const predicted = predictedClasses({ truth: batch.truth, scores: batch.scores })
  return (row) => {
    const loss = -Math.log(Math.max(scoreOf(row, actual[row]!), Number.MIN_VALUE))
    return { loss, truth: actual[row]!, predicted: predicted[row]!, probability: scoreOf(row, predicted[row]!) }
  }
}

function valueJudge({ truth, predicted, scores }: Predictions): Judge {
  const values = predicted ?? scores
  if (!values) throw new ConfigError('There are no predictions.', { remedy: 'Pass predicted or scores' })
  const width = widthOf(truth)
  return (row) => {
    const of = (data: ArrayLike<number>) => Array.from({ length: width }, (_, i) => data[row * width + i]!)
    const [right, given] = [of(truth.data), of(values.data)]
    const error = right.reduce((sum, value, i) => sum + Math.abs(given[i]! - value), 0) / width
    // What cannot be compared is as wrong as can be.
    const loss = Number.isNaN(error) ? Infinity : error
    return width === 1 ? { loss, truth: right[0]!, predicted: given[0]! } : { loss, truth: right, predicted: given }
  }
}
