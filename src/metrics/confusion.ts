/** Metrics that a count of true and predicted classes suffices for. @module */

import { type Metric, type Predictions, predictedClasses, rowsIn, trueClasses } from './metric.js'

/** Weighted count of rows by true class (row) and predicted class (column), `[classes][classes]`. */
export type ConfusionMatrix = number[][]

/** How values of several classes become one. */
export type Average = 'macro' | 'micro' | 'weighted' | 'none'

/** Options of `precision`, `recall` and `f1`. */
export interface AverageOptions {
  /**
   * - macro: mean over the classes that occur in the truth or the predictions.
   * - micro: from the counts of all classes together.
   * - weighted: mean over the classes, weighted by how often each is true.
   * - none: one value per class.
   * @default 'macro'
   */
  average?: Average
}

/** Counts for one class. */
export interface ClassScores {
  precision: number
  recall: number
  f1: number
  /** Weight of the rows that truly are of this class. */
  support: number
}

/** Share of rows whose predicted class is the true one. */
export function accuracy(): Metric<ConfusionMatrix, number> {
  return fromConfusion('accuracy', (matrix) => {
    let right = 0
    let all = 0
    matrix.forEach((row, i) => {
      right += row[i]!
      all += sum(row)
    })
    return ratio(right, all)
  })
}

/** The confusion matrix itself. */
export function confusionMatrix(): Metric<ConfusionMatrix, ConfusionMatrix> {
  return fromConfusion('confusionMatrix', (matrix) => matrix.map((row) => [...row]))
}

/** precision = true positives / predicted positives; 0 where nothing was predicted. */
export function precision(options: AverageOptions = {}): Metric<ConfusionMatrix, number | number[]> {
  return fromConfusion('precision', (matrix) => average(matrix, 'precision', options))
}

/** recall = true positives / actual positives; 0 where there are none. */
export function recall(options: AverageOptions = {}): Metric<ConfusionMatrix, number | number[]> {
  return fromConfusion('recall', (matrix) => average(matrix, 'recall', options))
}

/**
 * f1 = 2 * precision * recall / (precision + recall)
 *
 * @example
 * new Evaluator({ metrics: [f1({ average: 'weighted' })] })
 */
export function f1(options: AverageOptions = {}): Metric<ConfusionMatrix, number | number[]> {
  return fromConfusion('f1', (matrix) => average(matrix, 'f1', options))
}

/** Precision, recall and F1 of every class. */
export function classScores(matrix: ConfusionMatrix): ClassScores[] {
  return matrix.map((row, i) => {
    const right = row[i]!
    const actual = sum(row)
    const predicted = sum(matrix.map((other) => other[i]!))
    return {
      precision: ratio(right, predicted),
      recall: ratio(right, actual),
      f1: ratio(2 * right, actual + predicted),
      support: actual,
    }
  })
}

function fromConfusion<Result>(
  name: string,
  compute: (matrix: ConfusionMatrix) => Result,
): Metric<ConfusionMatrix, Result> {
  return {
    name,
    create: () => [],
    update: count,
    merge(into, other) {
      grow(into, other.length)
      other.forEach((row, i) => {
        row.forEach((value, j) => {
          into[i]![j]! += value
        })
      })
    },
    compute,
  }
}

function count(matrix: ConfusionMatrix, batch: Predictions): void {
  const rows = rowsIn(batch)
  const actual = trueClasses(batch)
  const predicted = predictedClasses(batch)
  const width = Math.max(batch.truth.shape[1] ?? 1, batch.scores?.shape[1] ?? 1)
  let classes = width > 1 ? width : 0
  for (let row = 0; row < rows; row++) classes = Math.max(classes, actual[row]! + 1, predicted[row]! + 1)
  grow(matrix, classes)
  for (let row = 0; row < rows; row++) matrix[actual[row]!]![predicted[row]!]! += batch.weights?.[row] ?? 1
}

function grow(matrix: ConfusionMatrix, classes: number): void {
  if (classes <= matrix.length) return
  for (const row of matrix) while (row.length < classes) row.push(0)
  while (matrix.length < classes) matrix.push(new Array<number>(classes).fill(0))
}

function average(
  matrix: ConfusionMatrix,
  value: 'precision' | 'recall' | 'f1',
  { average: how = 'macro' }: AverageOptions,
): number | number[] {
  const scores = classScores(matrix)
  switch (how) {
    case 'none':
      return scores.map((score) => score[value])
    case 'micro':
      // Every row has one true and one predicted class, so the three are the same.
      return ratio(sum(matrix.map((row, i) => row[i]!)), sum(matrix.map(sum)))
    case 'weighted':
      return ratio(sum(scores.map((score) => score[value] * score.support)), sum(scores.map(({ support }) => support)))
    case 'macro': {
      const present = scores.filter((score, i) => score.support > 0 || matrix.some((row) => row[i]! > 0))
      return ratio(sum(present.map((score) => score[value])), present.length)
    }
    default:
      return how satisfies never
  }
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
const ratio = (part: number, whole: number) => (whole === 0 ? 0 : part / whole)
