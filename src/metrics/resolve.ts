/** Losses and metrics by name. @module */

import type * as tf from '@tensorflow/tfjs-core'
import { ConfigError, didYouMean } from '../core/index.js'
import { accuracy, confusionMatrix, f1, precision, recall } from './confusion.js'
import { binaryCrossentropy, categoricalCrossentropy, sparseCategoricalCrossentropy } from './crossentropy.js'
import type { Loss } from './loss.js'
import type { Metric } from './metric.js'
import { huber, meanAbsoluteError, meanSquaredError } from './regression-losses.js'
import { mae, mse, r2, rmse } from './regression-metrics.js'
import { logLoss, rocAuc, topKAccuracy } from './score-metrics.js'
import * as tensorMetrics from './tensor-metrics.js'

const losses: Record<string, Loss> = {
  categoricalCrossentropy,
  sparseCategoricalCrossentropy,
  binaryCrossentropy,
  meanSquaredError,
  meanAbsoluteError,
  huber,
}

const trainingMetrics: Record<string, tensorMetrics.TensorMetric> = {
  accuracy: tensorMetrics.accuracy,
  mse: tensorMetrics.mse,
  mae: tensorMetrics.mae,
}

const evaluationMetrics = {
  accuracy,
  confusionMatrix,
  f1,
  logLoss,
  mae,
  mse,
  precision,
  r2,
  recall,
  rmse,
  rocAuc,
  topKAccuracy,
} as const

/** Metrics of an evaluation that have a name. */
export type MetricName = keyof typeof evaluationMetrics

/**
 * A loss by its name, or made of a function.
 *
 * @throws {ConfigError} if the name is unknown.
 */
export function resolveLoss(loss: string | ((truth: tf.Tensor, output: tf.Tensor) => tf.Tensor)): Loss {
  if (typeof loss === 'function') return { name: loss.name || 'custom', perExample: loss }
  return named('loss', losses, loss)
}

/**
 * A metric that training can compute, by its name.
 *
 * @throws {ConfigError} if the name is unknown.
 */
export function resolveMetric(name: string): tensorMetrics.TensorMetric {
  return named('metric for training', trainingMetrics, name)
}

/**
 * A metric of an evaluation, by its name with default options, or as it is.
 *
 * @throws {ConfigError} if the name is unknown.
 */
export function resolveEvaluationMetric(metric: Metric | MetricName): Metric {
  if (typeof metric !== 'string') return metric
  return named<() => Metric>('metric', evaluationMetrics as unknown as Record<string, () => Metric>, metric)()
}

function named<T>(what: string, table: Record<string, T>, name: string): T {
  if (Object.hasOwn(table, name)) return table[name]!
  throw new ConfigError(`There is no ${what} named '${name}'.`, {
    expected: `one of ${Object.keys(table).join(', ')}`,
    received: name,
    remedy: didYouMean(name, Object.keys(table)),
  })
}
