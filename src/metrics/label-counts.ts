/** Counts for rows that may have any number of labels. @module */

import { ConfigError, DataError, ShapeError } from '../core/index.js'
import { type Average, addCounts, averageOf, type ClassCounts, type ClassValue, noCounts, ratio } from './averaging.js'
import { type Metric, type Predictions, rowsIn, widthOf } from './metric.js'

/** What rows with labels leave behind. */
export interface LabelState {
  labels: ClassCounts[]
  /** Sum over rows of the value within the row. */
  rowValues: number
  /** Weight of the rows whose labels are all right. */
  exact: number
  weight: number
}

/**
 * A metric of labels that are judged each by itself.
 *
 * @param value - Of the counts of one label, or of one row for the average 'samples'.
 */
export function fromLabels(
  name: string,
  value: ClassValue,
  { average, threshold }: { average: Average; threshold: number | undefined },
): Metric<LabelState, number | number[]> {
  const compute = (state: LabelState) =>
    average === 'samples' ? ratio(state.rowValues, state.weight) : averageOf(state.labels, value, average, true)
  return overLabels(name, threshold, compute, value)
}

/**
 * A metric of the whole state.
 *
 * @param rowValue - Of the counts of one row, for `rowValues`.
 */
export function overLabels<Result>(
  name: string,
  threshold: number | undefined,
  compute: (state: LabelState) => Result,
  rowValue?: ClassValue,
): Metric<LabelState, Result> {
  checkThreshold(threshold)
  return {
    name,
    create: () => ({ labels: [], rowValues: 0, exact: 0, weight: 0 }),
    update: (state, batch) => count(state, batch, threshold ?? 0.5, rowValue),
    merge(into, other) {
      other.labels.forEach((counts, i) => {
        into.labels[i] = addCounts(into.labels[i] ?? noCounts(), counts)
      })
      into.rowValues += other.rowValues
      into.exact += other.exact
      into.weight += other.weight
    },
    compute,
  }
}

function count(state: LabelState, batch: Predictions, threshold: number, rowValue: ClassValue = () => 0): void {
  const rows = rowsIn(batch)
  const { truth, predicted, scores } = batch
  const given = predicted ?? scores
  if (!given) throw new ConfigError('There are no predictions.', { remedy: 'Pass predicted or scores' })
  const width = widthOf(truth)
  if (widthOf(given) !== width)
    throw new ShapeError('The predicted labels do not match the truth.', {
      expected: `${width} labels per row`,
      received: `${widthOf(given)}`,
    })
  while (state.labels.length < width) state.labels.push(noCounts())
  for (let row = 0; row < rows; row++) {
    const weight = batch.weights?.[row] ?? 1
    const own = noCounts()
    for (let label = 0; label < width; label++) {
      const actual = truth.data[row * width + label]!
      if (actual !== 0 && actual !== 1)
        throw new DataError(`Label ${label} of row ${row} is neither there nor not.`, {
          expected: '0 or 1',
          received: actual,
        })
      const taken = given.data[row * width + label]! > threshold
      const key = actual
        ? taken
          ? 'truePositives'
          : 'falseNegatives'
        : taken
          ? 'falsePositives'
          : ('trueNegatives' as const)
      own[key]++
      state.labels[label]![key] += weight
    }
    state.rowValues += weight * rowValue(own)
    if (own.falsePositives + own.falseNegatives === 0) state.exact += weight
    state.weight += weight
  }
}

function checkThreshold(threshold = 0.5): void {
  if (threshold >= 0 && threshold <= 1) return
  throw new ConfigError('The threshold of a metric is out of range.', { expected: '0 to 1', received: threshold })
}
