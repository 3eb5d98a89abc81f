/** Metrics on real numbers, from sums that can be merged. Several outputs count alike. @module */

import { ConfigError, DataError, ShapeError, withDefaults } from '../core/index.js'
import { meanOverRows, type WeightedSum } from './mean-over-rows.js'
import { type Metric, type Predictions, rowsIn, type Values, widthOf } from './metric.js'

/** Weight, mean and sum of squared deviations of some values. */
export interface Moments {
  weight: number
  mean: number
  deviation: number
}

/** Per output: moments of the truth and of the errors; sums of squared and absolute errors. */
export interface RegressionState {
  outputs: { truth: Moments; error: Moments; squared: number; absolute: number }[]
}

/** Mean squared error. */
export const mse = (): Metric<RegressionState, number> =>
  overOutputs('mse', ({ squared, truth }) => squared / truth.weight)

/** Mean absolute error. */
export const mae = (): Metric<RegressionState, number> =>
  overOutputs('mae', ({ absolute, truth }) => absolute / truth.weight)

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
  overOutputs('r2', ({ squared, truth }) => explained(squared, truth.deviation))

/** The same after the mean error is taken away: a constant shift of the predictions costs nothing. */
export const explainedVariance = (): Metric<RegressionState, number> =>
  overOutputs('explainedVariance', ({ error, truth }) => explained(error.deviation, truth.deviation))

/** Mean of |error| / |truth|, a share: 0.1 is 10 %. Truths below 2.2e-16 count as that, so that 0 gives a huge value. */
export const mape = (): Metric<WeightedSum, number> =>
  meanOverValues('mape', (truth, predicted) => Math.abs(predicted - truth) / Math.max(Number.EPSILON, Math.abs(truth)))

/**
 * Error of a predicted quantile: mean of alpha * (y - p) where the truth is above, else (1 - alpha) * (p - y).
 *
 * @param options - `alpha`, the quantile, 0 to 1, default 0.5.
 */
export function pinball(options: { alpha?: number } = {}): Metric<WeightedSum, number> {
  const { alpha } = withDefaults('pinball', options, { alpha: 0.5 })
  if (!(alpha >= 0 && alpha <= 1))
    throw new ConfigError('alpha of pinball is out of range.', { expected: '0 to 1', received: alpha })
  return meanOverValues('pinball', (truth, predicted) =>
    truth >= predicted ? alpha * (truth - predicted) : (1 - alpha) * (predicted - truth),
  )
}

/**
 * Mean of error^2 / 2 up to `delta`, and of delta * (|error| - delta / 2) beyond, so that outliers count linearly.
 *
 * @param options - `delta`, above 0, default 1.
 * @see Huber 1964, https://doi.org/10.1214/aoms/1177703732
 */
export function huberLoss(options: { delta?: number } = {}): Metric<WeightedSum, number> {
  const { delta } = withDefaults('huberLoss', options, { delta: 1 })
  if (!(delta > 0))
    throw new ConfigError('delta of huberLoss is out of range.', { expected: 'a number above 0', received: delta })
  return meanOverValues('huberLoss', (truth, predicted) => {
    const error = Math.abs(predicted - truth)
    return error <= delta ? (error * error) / 2 : delta * (error - delta / 2)
  })
}

/**
 * Mean of 2 * (y * ln(y / p) - y + p), for counts and rates.
 *
 * `update` throws a DataError where the truth is below 0 or the prediction not above it.
 */
export function poissonDeviance(): Metric<WeightedSum, number> {
  return meanOverValues('poissonDeviance', (truth, predicted) => {
    if (!(truth >= 0 && predicted > 0))
      throw new DataError("'poissonDeviance' is for counts.", {
        expected: 'truths of at least 0 and predictions above 0',
        received: `${truth} and ${predicted}`,
      })
    return 2 * ((truth === 0 ? 0 : truth * Math.log(truth / predicted)) - truth + predicted)
  })
}

/** Largest absolute error. */
export function maxError(): Metric<{ largest: number }, number> {
  return {
    name: 'maxError',
    create: () => ({ largest: 0 }),
    update(state, batch) {
      eachValue(batch, (truth, predicted) => {
        state.largest = Math.max(state.largest, Math.abs(predicted - truth))
      })
    },
    merge(into, other) {
      into.largest = Math.max(into.largest, other.largest)
    },
    compute: ({ largest }) => largest,
  }
}

/** Absolute errors and weights of every row, by output. */
export interface KeptErrors {
  outputs: { errors: number[]; weights: number[] }[]
}

/**
 * Median of the absolute errors, mean over the outputs. Keeps every row. With weights, the smallest error that half of
 * the weight does not exceed.
 */
export function medianAbsoluteError(): Metric<KeptErrors, number> {
  return {
    name: 'medianAbsoluteError',
    create: () => ({ outputs: [] }),
    update(state, batch) {
      eachValue(batch, (truth, predicted, weight, output) => {
        state.outputs[output] ??= { errors: [], weights: [] }
        state.outputs[output].errors.push(Math.abs(predicted - truth))
        state.outputs[output].weights.push(weight)
      })
    },
    merge(into, other) {
      other.outputs.forEach(({ errors, weights }, output) => {
        into.outputs[output] ??= { errors: [], weights: [] }
        for (const error of errors) into.outputs[output].errors.push(error)
        for (const weight of weights) into.outputs[output].weights.push(weight)
      })
    },
    compute: ({ outputs }) => mean(outputs.map(medianOf)),
  }
}

/** Mean over rows of the mean over outputs. */
const meanOverValues = (name: string, value: (truth: number, predicted: number) => number) =>
  meanOverRows(name, (batch) => {
    const { truth, predicted, width } = pairsOf(batch)
    return (row) => {
      let sum = 0
      for (let i = row * width; i < (row + 1) * width; i++) sum += value(truth[i]!, predicted[i]!)
      return sum / width
    }
  })

function overOutputs(
  name: string,
  value: (output: RegressionState['outputs'][number]) => number,
): Metric<RegressionState, number> {
  return {
    name,
    create: () => ({ outputs: [] }),
    update(state, batch) {
      eachValue(batch, (truth, predicted, weight, output) => {
        const sums = state.outputs[output] ?? { truth: noMoments(), error: noMoments(), squared: 0, absolute: 0 }
        state.outputs[output] = sums
        const error = predicted - truth
        take(sums.truth, truth, weight)
        take(sums.error, error, weight)
        sums.squared += weight * error * error
        sums.absolute += weight * Math.abs(error)
      })
    },
    merge(into, other) {
      other.outputs.forEach((output, i) => {
        const own = into.outputs[i]
        into.outputs[i] = own
          ? {
              truth: joined(own.truth, output.truth),
              error: joined(own.error, output.error),
              squared: own.squared + output.squared,
              absolute: own.absolute + output.absolute,
            }
          : { ...output, truth: { ...output.truth }, error: { ...output.error } }
      })
    },
    compute: ({ outputs }) => mean(outputs.map(value)),
  }
}

/** Calls `visit` for every value of every row that has a weight. */
function eachValue(
  batch: Predictions,
  visit: (truth: number, predicted: number, weight: number, output: number) => void,
): void {
  const rows = rowsIn(batch)
  const { truth, predicted, width } = pairsOf(batch)
  for (let row = 0; row < rows; row++) {
    const weight = batch.weights?.[row] ?? 1
    if (weight === 0) continue
    for (let output = 0; output < width; output++)
      visit(truth[row * width + output]!, predicted[row * width + output]!, weight, output)
  }
}

function pairsOf({ truth, predicted, scores }: Predictions) {
  const values = predicted ?? scores
  if (!values) throw new ConfigError('There are no predictions.', { remedy: 'Pass predicted' })
  const width = widthOf(truth)
  if (widthOf(values) !== width)
    throw new ShapeError('The predictions do not match the truth.', {
      expected: `${width} values per row`,
      received: `${widthOf(values)}`,
    })
  assertNumbers('truth', truth)
  assertNumbers('prediction', values)
  return { truth: truth.data, predicted: values.data, width }
}

function assertNumbers(what: string, { data, shape }: Values): void {
  for (let i = 0; i < data.length; i++)
    if (typeof data[i] !== 'number' || Number.isNaN(data[i]))
      throw new DataError(`The ${what} of row ${Math.floor((i * shape[0]!) / data.length)} is not a number.`, {
        received: data[i],
        remedy: 'Leave out such rows, or fill the gaps',
      })
}

const noMoments = (): Moments => ({ weight: 0, mean: 0, deviation: 0 })

/** West 1979: no cancellation, however far the mean is from 0. */
function take(moments: Moments, value: number, weight: number): void {
  moments.weight += weight
  // The first value is the mean, without rounding: a constant column has no deviation at all.
  if (moments.weight === weight) moments.mean = value
  const delta = value - moments.mean
  moments.mean += (delta * weight) / moments.weight
  moments.deviation += weight * delta * (value - moments.mean)
}

function joined(a: Moments, b: Moments): Moments {
  if (a.weight === 0) return { ...b }
  const weight = a.weight + b.weight
  const delta = b.mean - a.mean
  return {
    weight,
    mean: a.mean + (delta * b.weight) / weight,
    deviation: a.deviation + b.deviation + (delta * delta * a.weight * b.weight) / weight,
  }
}

function explained(unexplained: number, deviation: number): number {
  if (deviation === 0) return unexplained === 0 ? 1 : 0
  return 1 - unexplained / deviation
}

function medianOf({ errors, weights }: KeptErrors['outputs'][number]): number {
  const order = errors.map((_, i) => i).sort((a, b) => errors[a]! - errors[b]!)
  const isWeighted = weights.some((weight) => weight !== 1)
  if (!isWeighted) {
    const middle = order.length / 2
    return (errors[order[Math.ceil(middle) - 1]!]! + errors[order[Math.floor(middle)]!]!) / 2
  }
  const half = weights.reduce((sum, weight) => sum + weight, 0) / 2
  let passed = 0
  for (const i of order) {
    passed += weights[i]!
    if (passed >= half) return errors[i]!
  }
  return errors[order[order.length - 1]!]!
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
