/** Counts of true and predicted classes. @module */

import { type ClassCounts, type ClassScores, scoresOf } from './averaging.js'
import { type Metric, type Predictions, predictedClasses, rowsIn, trueClasses } from './metric.js'

/** Weighted count of rows by true class (row) and predicted class (column), `[classes][classes]`. */
export type ConfusionMatrix = number[][]

/** The confusion matrix itself. */
export function confusionMatrix(): Metric<ConfusionMatrix, ConfusionMatrix> {
  return fromConfusion('confusionMatrix', (matrix) => matrix.map((row) => [...row]))
}

/** A metric that the confusion matrix suffices for. */
export function fromConfusion<Result>(
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

/** Each class against the rest. */
export function countsOf(matrix: ConfusionMatrix): ClassCounts[] {
  const actual = matrix.map(sum)
  const predicted = matrix.map((_, i) => sum(matrix.map((row) => row[i]!)))
  const all = sum(actual)
  return matrix.map((row, i) => ({
    truePositives: row[i]!,
    falsePositives: predicted[i]! - row[i]!,
    falseNegatives: actual[i]! - row[i]!,
    trueNegatives: all - actual[i]! - predicted[i]! + row[i]!,
  }))
}

/** Precision, recall and F1 of every class. */
export const classScores = (matrix: ConfusionMatrix): ClassScores[] => countsOf(matrix).map(scoresOf)

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

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
