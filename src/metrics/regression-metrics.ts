/** Metrics on real numbers, from sums that can be merged. @module */

import { ConfigError, ShapeError } from '../core/index.js'
import { type Metric, type Predictions, rowsIn, type Values, widthOf } from './metric.js'

/** Per output: weight, mean and sum of squared deviations of the truth; sums of squared and absolute errors. */
export interface RegressionState {
  outputs: { weight: number; mean: number; deviation: number; squared: number; absolute: number }[]
}

/** Mean squared error. */
export const mse = (): Metric<RegressionState, number> => overOutputs('mse', ({ squared, weight }) => squared / weight)

/** Mean absolute error. */
export const mae = (): Metric<RegressionState, number> =>
  overOutputs('mae', ({ absolute, weight }) => absolute / weight)

/** Root of the mean squared error; with several outputs the root of the mean over all. */
export function rmse(): Metric<RegressionState, number> {
  const squared = mse()
  return { ...squared, name: 'rmse', compute: (state) => Math.sqrt(squared.compute(state)) }
}

/**
 * Share of the variance of the truth that the predictions explain, mean over the outputs. Of a constant truth it is 1
 * when the predictions are exact, else 0.
 */
export const r2 = (): Metric<RegressionState, number> =>
  overOutputs('r2', ({ squared, deviation }) => {
    if (deviation === 0) return squared === 0 ? 1 : 0
    return 1 - squared / deviation
  })

function overOutputs(
  name: string,
  value: (output: RegressionState['outputs'][number]) => number,
): Metric<RegressionState, number> {
  return {
    name,
    create: () => ({ outputs: [] }),
    update,
    merge(into, other) {
      other.outputs.forEach((output, i) => {
        into.outputs[i] = into.outputs[i] ? join(into.outputs[i], output) : { ...output }
      })
    },
    compute: ({ outputs }) => outputs.reduce((total, output) => total + value(output), 0) / outputs.length,
  }
}

function update(state: RegressionState, batch: Predictions): void {
  const rows = rowsIn(batch)
  const values = predictedValues(batch)
  const width = widthOf(batch.truth)
  if (widthOf(values) !== width)
    throw new ShapeError('The predictions do not match the truth.', {
      expected: `${width} values per row`,
      received: `${widthOf(values)}`,
    })
  for (let output = 0; output < width; output++) {
    const sums = state.outputs[output] ?? { weight: 0, mean: 0, deviation: 0, squared: 0, absolute: 0 }
    state.outputs[output] = sums
    for (let row = 0; row < rows; row++) {
      const weight = batch.weights?.[row] ?? 1
      if (weight === 0) continue
      const truth = batch.truth.data[row * width + output]!
      const error = values.data[row * width + output]! - truth
      sums.weight += weight
      // West 1979: no cancellation, however far the mean is from 0.
      const delta = truth - sums.mean
      sums.mean += (delta * weight) / sums.weight
      sums.deviation += weight * delta * (truth - sums.mean)
      sums.squared += weight * error * error
      sums.absolute += weight * Math.abs(error)
    }
  }
}

function join(a: RegressionState['outputs'][number], b: RegressionState['outputs'][number]) {
  const weight = a.weight + b.weight
  if (weight === 0) return a
  const delta = b.mean - a.mean
  return {
    weight,
    mean: a.mean + (delta * b.weight) / weight,
    deviation: a.deviation + b.deviation + (delta * delta * a.weight * b.weight) / weight,
    squared: a.squared + b.squared,
    absolute: a.absolute + b.absolute,
  }
}

function predictedValues({ predicted, scores }: Predictions): Values {
  const values = predicted ?? scores
  if (values) return values
  throw new ConfigError('There are no predictions.', { remedy: 'Pass predicted' })
}
