/** Losses and metrics by name. @module */

import type * as tf from '@tensorflow/tfjs-core'
import { ConfigError, checkGiven, didYouMean } from '../core/index.js'
import { calibrationCurve, calibrationError } from './calibration.js'
import {
  accuracy,
  balancedAccuracy,
  cohenKappa,
  f1,
  hammingLoss,
  jaccard,
  matthews,
  precision,
  recall,
} from './class-metrics.js'
import { confusionMatrix } from './confusion-matrix.js'
import { binaryCrossentropy, categoricalCrossentropy, sparseCategoricalCrossentropy } from './crossentropy.js'
import type { Loss } from './loss.js'
import type { Metric } from './metric.js'
import { averagePrecision, rocAuc } from './rank-metrics.js'
import { hitRate, meanAveragePrecision, mrr, ndcg, precisionAtK, recallAtK } from './ranking-metrics.js'
import { huber, meanAbsoluteError, meanSquaredError } from './regression-losses.js'
import {
  explainedVariance,
  huberLoss,
  mae,
  mape,
  maxError,
  medianAbsoluteError,
  mse,
  pinball,
  poissonDeviance,
  r2,
  rmse,
} from './regression-metrics.js'
import { precisionRecallCurve, rocCurve } from './score-curves.js'
import { brier, logLoss, perplexity, topKAccuracy } from './score-metrics.js'
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
  averagePrecision,
  balancedAccuracy,
  brier,
  calibrationCurve,
  calibrationError,
  cohenKappa,
  confusionMatrix,
  explainedVariance,
  f1,
  hammingLoss,
  hitRate,
  huberLoss,
  jaccard,
  logLoss,
  mae,
  mape,
  matthews,
  maxError,
  meanAveragePrecision,
  medianAbsoluteError,
  mrr,
  mse,
  ndcg,
  perplexity,
  pinball,
  poissonDeviance,
  precision,
  precisionAtK,
  precisionRecallCurve,
  r2,
  recall,
  recallAtK,
  rmse,
  rocAuc,
  rocCurve,
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
  if (typeof metric !== 'string') {
    checkGiven(typeof metric?.update === 'function', 'A metric is of no kind that can be computed.', {
      expected: 'a name, or what a function such as accuracy() returns',
      received: metric,
      remedy: typeof metric === 'function' ? 'Call the function: accuracy()' : undefined,
    })
    return metric
  }
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
