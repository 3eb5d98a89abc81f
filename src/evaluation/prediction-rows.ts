/** Rows of predictions: chosen, joined, drawn anew. @module */

import type { Random } from '../core/index.js'
import { type Predictions, rowsIn, type Values, widthOf } from '../metrics/index.js'

/** Some rows of a batch, in the order of `indices`. */
export function selectRows(batch: Predictions, indices: ArrayLike<number>): Predictions {
  return mapParts(batch, (values) => {
    const width = widthOf(values)
    const data = new Float64Array(indices.length * width)
    for (let i = 0; i < indices.length; i++)
      for (let j = 0; j < width; j++) data[i * width + j] = values.data[indices[i]! * width + j]!
    return { data, shape: [indices.length, ...values.shape.slice(1)] }
  })
}

/** Batches as one. */
export function joinBatches(batches: readonly Predictions[]): Predictions {
  const rows = batches.reduce((sum, batch) => sum + rowsIn(batch), 0)
  return mapParts(batches[0]!, (first, part) => {
    const data = new Float64Array(rows * widthOf(first))
    let offset = 0
    for (const batch of batches) {
      const values = partOf(batch, part)!.data
      data.set(values, offset)
      offset += values.length
    }
    return { data, shape: [rows, ...first.shape.slice(1)] }
  })
}

/**
 * The same rows with the weights of a bootstrap sample: how often each of as many draws, with replacement, took it.
 *
 * @see Efron 1979, https://doi.org/10.1214/aos/1176344552
 */
export function drawWeights(batch: Predictions, random: Random): Predictions {
  const rows = rowsIn(batch)
  const weights = new Float64Array(rows)
  for (let i = 0; i < rows; i++) {
    const row = random.integer(rows)
    weights[row]! += batch.weights?.[row] ?? 1
  }
  return { ...batch, weights }
}

const parts = ['truth', 'predicted', 'scores', 'weights'] as const
type Part = (typeof parts)[number]

function partOf(batch: Predictions, part: Part): Values | undefined {
  if (part !== 'weights') return batch[part]
  return batch.weights && { data: batch.weights, shape: [batch.weights.length] }
}

function mapParts(batch: Predictions, change: (values: Values, part: Part) => Values): Predictions {
  const changed: Partial<Record<Part, Values>> = {}
  for (const part of parts) {
    const values = partOf(batch, part)
    if (values) changed[part] = change(values, part)
  }
  const { truth, weights, ...rest } = changed
  return { truth: truth!, ...rest, ...(weights ? { weights: weights.data } : {}) }
}
