/** The rows that a model is most wrong about. @module */

import { ConfigError } from '../core/index.js'
import { type Predictions, rowsIn, widthOf } from '../metrics/index.js'

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
  constructor({ count = 20, by = 'logLoss' }: WorstOptions = {}) {
    if (!Number.isInteger(count) || count < 1)
      throw new ConfigError('The count of worst rows is out of range.', {
        expected: 'a whole number above 0',
        received: count,
      })
    this.#count = count
    this.#by = by
  }

  take(batch: Predictions): void {
    const rows = rowsIn(batch)
    const judge = this.#by === 'logLoss' ? classJudge(batch) : valueJudge(batch)
    const found = Array.from({ length: rows }, (_, row) => ({ row: this.#seen + row, ...judge(row) }))
    this.#seen += rows
    this.#worst = [...this.#worst, ...found].sort((a, b) => b.loss - a.loss || a.row - b.row).slice(0, this.#count)
  }

  list(): readonly WorstRow[] {
    return this.#worst
  }
}

type Judge = (row: number) => Omit<WorstRow, 'row'>

function classJudge({ truth, scores }: Predictions): Judge {
  if (!scores)
    throw new ConfigError("The worst rows by 'logLoss' need the probabilities of the classes.", {
      remedy: "Pass scores, or worst: { by: 'absoluteError' }",
    })
  const width = widthOf(scores)
  const probabilities = (row: number) => {
    const own = Array.from({ length: width }, (_, i) => scores.data[row * width + i]!)
    return width === 1 ? [1 - own[0]!, own[0]!] : own
  }
  const labels = widthOf(truth)
  return (row) => {
    const own = probabilities(row)
    const actual =
      labels === 1 ? truth.data[row]! : largest(Array.from({ length: labels }, (_, i) => truth.data[row * labels + i]!))
    const predicted = largest(own)
    const loss = -Math.log(Math.max(own[actual]!, Number.MIN_VALUE))
    return { loss, truth: actual, predicted, probability: own[predicted]! }
  }
}

function valueJudge({ truth, predicted, scores }: Predictions): Judge {
  const values = predicted ?? scores!
  const width = widthOf(truth)
  return (row) => {
    const of = (data: ArrayLike<number>) => Array.from({ length: width }, (_, i) => data[row * width + i]!)
    const [right, given] = [of(truth.data), of(values.data)]
    const loss = right.reduce((sum, value, i) => sum + Math.abs(given[i]! - value), 0) / width
    return width === 1 ? { loss, truth: right[0]!, predicted: given[0]! } : { loss, truth: right, predicted: given }
  }
}

const largest = (values: readonly number[]) => values.reduce((best, value, i) => (value > values[best]! ? i : best), 0)
