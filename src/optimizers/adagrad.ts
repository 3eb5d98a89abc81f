/** Adagrad. @module */

import { withDefaults } from '../core/index.js'
import { checkOptions, type FusedRange, type Optimizer, type UpdateRange } from './optimizer.js'
import type { Schedule } from './schedule.js'

/** Options of `adagrad`. */
export interface AdagradOptions {
  /** @default 0.01 */
  learningRate?: number | Schedule
  /** Added to the root, against division by zero. @default 1e-10 */
  epsilon?: number
  /** L2 penalty, added to the gradient. @default 0 */
  weightDecay?: number
}

/**
 * Adagrad: the gradient over the root of the sum of all its squares.
 *
 * s += g^2; w -= rate * g / (sqrt(s) + epsilon)
 *
 * @see Duchi et al. 2011, https://jmlr.org/papers/v12/duchi11a.html
 * @example
 * adagrad({ learningRate: 0.05 })
 */
export function adagrad(options: AdagradOptions = {}): Optimizer {
  const { learningRate, epsilon, weightDecay } = withDefaults('adagrad', options, {
    learningRate: 0.01,
    epsilon: 1e-10,
    weightDecay: 0,
  })
  checkOptions('adagrad', learningRate, {
    epsilon: { value: epsilon, from: 0 },
    weightDecay: { value: weightDecay, from: 0 },
  })
  return {
    name: 'adagrad',
    options: { epsilon, weightDecay },
    learningRate,
    slots: ['squaredSum'],
    update({ parameters, gradients, gradientScale, slots, learningRate: rate }: UpdateRange) {
      const squaredSum = slots[0]!
      for (let i = 0; i < parameters.length; i++) {
        const gradient = gradientScale * gradients[i]! + weightDecay * parameters[i]!
        squaredSum[i]! += gradient * gradient
        parameters[i]! -= (rate * gradient) / (Math.sqrt(squaredSum[i]!) + epsilon)
      }
    },
    fused(kernels, { parameters, gradients, gradientScale, slots, length, learningRate: rate }: FusedRange) {
      kernels.adagrad(parameters, gradients, slots[0]!, length, rate, epsilon, weightDecay, gradientScale)
    },
  }
}
