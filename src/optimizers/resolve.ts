/** From a name or a description back to an optimizer. @module */

import { ConfigError, didYouMean } from '../core/index.js'
import { adagrad } from './adagrad.js'
import { adam, adamw } from './adam.js'
import { lamb } from './lamb.js'
import type { Optimizer, OptimizerDescription } from './optimizer.js'
import { rmsprop } from './rmsprop.js'
import { sgd } from './sgd.js'

const makers = { sgd, adam, adamw, rmsprop, adagrad, lamb } as const

/** Names that `resolveOptimizer` knows. */
export type OptimizerName = keyof typeof makers

/**
 * Makes an optimizer from its name (with default options) or from its description.
 *
 * @throws {ConfigError} if the name is unknown.
 */
export function resolveOptimizer(optimizer: OptimizerName | OptimizerDescription): Optimizer {
  const { name, options, learningRate } =
    typeof optimizer === 'string' ? { name: optimizer, options: {}, learningRate: undefined } : optimizer
  const make = Object.hasOwn(makers, name) ? makers[name as OptimizerName] : undefined
  if (!make)
    throw new ConfigError(`There is no optimizer named '${name}'.`, {
      expected: `one of ${Object.keys(makers).join(', ')}`,
      received: name,
      remedy: didYouMean(name, Object.keys(makers)),
    })
  return make({ ...options, ...(learningRate === undefined ? {} : { learningRate }) })
}

/** The plain data of an optimizer. */
export function describeOptimizer({ name, options, learningRate }: OptimizerDescription): OptimizerDescription {
  return { name, options: { ...options }, learningRate }
}
