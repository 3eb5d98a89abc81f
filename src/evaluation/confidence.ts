/** How far values would move on other data of the same kind, by the bootstrap. @module */

import { ConfigError, checkWhole, DataError, Random, ShapeError, withDefaults } from '../core/index.js'
import { type Metric, type Predictions, rowsIn } from '../metrics/index.js'
import { type PredictionArrays, predictionsOf } from './prediction-arrays.js'
import { drawWeights } from './prediction-rows.js'

/** How intervals are found. */
export interface ConfidenceOptions {
  /** Share of samples whose value lies in the interval, above 0 and below 1. @default 0.95 */
  level?: number
  /** Samples drawn. @default 1000 */
  resamples?: number
  /** Integer, 0 to 2^32 - 1. @default 0 */
  seed?: number
}

/** Lower and upper bound. */
export type Interval = [low: number, high: number]

/** How two models differ in one metric, on the same rows. */
export interface PairedDifference {
  /** Value of the second minus that of the first. */
  difference: number
  interval: Interval
  /** Twice the share of samples whose difference lies on the other side of 0, at most 1. */
  pValue: number
}

/** Share of the samples for which a metric may be undefined (all rows of one class) before it has no interval. */
const UNDEFINED_SHARE = 0.05

/**
 * Percentile intervals of all metrics that are one number, from the same samples of rows.
 *
 * @returns By the metric's name. A metric that too many samples leave undefined has none.
 * @throws {ConfigError} if an option is out of range.
 */
export function confidenceIntervals(
  metrics: readonly Metric[],
  predictions: Predictions,
  options: ConfidenceOptions = {},
): Record<string, Interval> {
  const { level, resamples, seed } = checked(options)
  const numbers = metrics.filter((metric) => typeof valueOn(metric, predictions) === 'number')
  const values = new Map<string, number[]>(numbers.map(({ name }) => [name, []]))
  const random = new Random(seed)
  for (let i = 0; i < resamples; i++) {
    const sample = drawWeights(predictions, random)
    for (const metric of numbers) {
      const value = valueOn(metric, sample)
      if (value !== undefined) values.get(metric.name)!.push(value as number)
    }
  }
  const known = [...values].filter(([, drawn]) => drawn.length >= resamples * (1 - UNDEFINED_SHARE))
  return Object.fromEntries(known.map(([name, drawn]) => [name, percentiles(drawn, level)]))
}

/**
 * Compares two models by one metric on samples of rows, the same for both.
 *
 * @param first - Predictions of one model. @param second - Those of the other, for the same rows in the same order.
 * @throws {ShapeError} if they have unequal numbers of rows. @throws {DataError} if the metric is no number, or
 *   undefined on too many samples.
 * @example
 * pairedBootstrap(accuracy(), before, after).interval   // does it hold 0?
 */
export function pairedBootstrap(
  metric: Metric,
  first: PredictionArrays,
  second: PredictionArrays,
  options: ConfidenceOptions = {},
): PairedDifference {
  const { level, resamples, seed } = checked(options)
  const pair = [predictionsOf(first), predictionsOf(second)] as const
  if (rowsIn(pair[0]) !== rowsIn(pair[1]))
    throw new ShapeError('The models were not given the same rows.', {
      expected: `${rowsIn(pair[0])} rows`,
      received: `${rowsIn(pair[1])} rows`,
    })
  const whole = pair.map((predictions) => valueOn(metric, predictions))
  if (whole.some((value) => typeof value !== 'number'))
    throw new DataError(`Models cannot be compared by '${metric.name}'.`, { expected: 'a metric that is one number' })
  const differences: number[] = []
  for (let i = 0; i < resamples; i++) {
    const values = pair.map((predictions) =>
      // A stream of random numbers per sample: both models see the same rows.
      valueOn(metric, drawWeights(predictions, new Random(seed, i))),
    )
    if (values.every((value) => value !== undefined)) differences.push((values[1] as number) - (values[0] as number))
  }
  if (differences.length < resamples * (1 - UNDEFINED_SHARE))
    throw new DataError(`'${metric.name}' is undefined on many samples of the rows.`, {
      expected: 'more rows of the rarer class',
      received: `${resamples - differences.length} of ${resamples} samples undefined`,
    })
  const below = differences.filter((difference) => difference <= 0).length
  const above = differences.filter((difference) => difference >= 0).length
  return {
    difference: (whole[1] as number) - (whole[0] as number),
    interval: percentiles(differences, level),
    pValue: Math.min(1, (2 * Math.min(below, above)) / differences.length),
  }
}

/** A metric's value; undefined where these rows do not define it. */
function valueOn(metric: Metric, predictions: Predictions): unknown {
  const state = metric.create()
  metric.update(state, predictions)
  return computedOrUndefined(metric, state)
}

/** What a state comes to; undefined where its rows do not define the metric. */
export function computedOrUndefined(metric: Metric, state: unknown): unknown {
  try {
    return metric.compute(state)
  } catch (error) {
    if (error instanceof DataError) return undefined
    throw error
  }
}

function percentiles(values: number[], level: number): Interval {
  const sorted = Float64Array.from(values).sort()
  const at = (share: number) => {
    const position = share * (sorted.length - 1)
    const low = Math.floor(position)
    const rest = position - low
    return sorted[low]! * (1 - rest) + (sorted[low + 1] ?? sorted[low]!) * rest
  }
  return [at((1 - level) / 2), at((1 + level) / 2)]
}

function checked(options: ConfidenceOptions): Required<ConfidenceOptions> {
  const { level, resamples, seed } = withDefaults('confidence', options, { level: 0.95, resamples: 1000, seed: 0 })
  if (!(level > 0 && level < 1))
    throw new ConfigError('The level of confidence is out of range.', {
      expected: 'a number above 0 and below 1',
      received: level,
    })
  checkWhole('resamples', resamples)
  return { level, resamples, seed }
}
