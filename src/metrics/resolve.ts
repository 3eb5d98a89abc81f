/** Losses and metrics by name. @module */

import type * as tf from '@tensorflow/tfjs-core'
import { ConfigError, didYouMean } from '../core/index.js'
import { binaryCrossentropy, categoricalCrossentropy, sparseCategoricalCrossentropy } from './crossentropy.js'
import type { Loss } from './loss.js'
import { huber, meanAbsoluteError, meanSquaredError } from './regression-losses.js'
import { accuracy, mae, mse, type TensorMetric } from './tensor-metrics.js'

const losses: Record<string, Loss> = {
  categoricalCrossentropy,
  sparseCategoricalCrossentropy,
  binaryCrossentropy,
  meanSquaredError,
  meanAbsoluteError,
  huber,
}

const metrics: Record<string, TensorMetric> = { accuracy, mse, mae }

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
export function resolveMetric(name: string): TensorMetric {
  return named('metric', metrics, name)
}

function named<T>(what: string, table: Record<string, T>, name: string): T {
  if (Object.hasOwn(table, name)) return table[name]!
  throw new ConfigError(`There is no ${what} named '${name}'.`, {
    expected: `one of ${Object.keys(table).join(', ')}`,
    received: name,
    remedy: didYouMean(name, Object.keys(table)),
  })
}
