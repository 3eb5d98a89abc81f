/** The outer optimizer of DiLoCo. @module */

import { ConfigError, withDefaults } from '../core/index.js'

/** An outer optimizer as plain data. */
export interface OuterOptimizer {
  name: 'nesterov'
  learningRate: number
  momentum: number
}

/** Options of `nesterov`. */
export interface NesterovOptions {
  /** Above 0; 1 with momentum 0 is plain averaging. @default 0.7 */
  learningRate?: number
  /** Share of the last step that is kept, 0 to below 1. @default 0.9 */
  momentum?: number
}

/**
 * Nesterov momentum over the ways that averages of weights go.
 *
 * g = weights at the last outer step - average of the workers' weights; v = momentum * v + g;
 * weights -= learningRate * (g + momentum * v)
 *
 * @see Douillard et al. 2023, https://arxiv.org/abs/2311.08105
 * @example
 * new LocalSGD({ everySteps: 50, outer: nesterov() })
 */
export function nesterov(options: NesterovOptions = {}): OuterOptimizer {
  const { learningRate, momentum } = withDefaults('nesterov', options, { learningRate: 0.7, momentum: 0.9 })
  if (!(Number.isFinite(learningRate) && learningRate > 0))
    throw new ConfigError('The learning rate of nesterov is out of range.', {
      expected: 'a finite number above 0',
      received: learningRate,
    })
  if (!(momentum >= 0 && momentum < 1))
    throw new ConfigError('The momentum of nesterov is out of range.', {
      expected: 'a number from 0 to below 1',
      received: momentum,
    })
  return { name: 'nesterov', learningRate, momentum }
}
