/** Metrics that are a mean over rows. @module */

import { type Metric, type Predictions, rowsIn } from './metric.js'

/** A sum over rows and the weight of these rows. */
export interface WeightedSum {
  sum: number
  weight: number
}

/**
 * A metric that is the mean of a value of each row.
 *
 * @param prepare - Looks at a batch once; what it returns gives the value of a row.
 * @param finish - Applied to the mean.
 */
export function meanOverRows(
  name: string,
  prepare: (batch: Predictions) => (row: number) => number,
  finish: (mean: number) => number = (mean) => mean,
): Metric<WeightedSum, number> {
  return {
    name,
    create: () => ({ sum: 0, weight: 0 }),
    update(state, batch) {
      const rows = rowsIn(batch)
      const rowValue = prepare(batch)
      for (let row = 0; row < rows; row++) {
        const weight = batch.weights?.[row] ?? 1
        if (weight === 0) continue
        state.sum += weight * rowValue(row)
        state.weight += weight
      }
    },
    merge(into, other) {
      into.sum += other.sum
      into.weight += other.weight
    },
    compute: ({ sum, weight }) => (weight === 0 ? 0 : finish(sum / weight)),
  }
}
