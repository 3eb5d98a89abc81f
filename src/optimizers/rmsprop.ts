/** RMSProp. @module */

import { withDefaults } from '../core/index.js'
import { checkOptions, type FusedRange, type Optimizer, type UpdateRange } from './optimizer.js'
import type { Schedule } from './schedule.js'

/** Options of `rmsprop`. */
export interface RmspropOptions {
  /** @default 0.01 */
  learningRate?: number | Schedule
  /** Memory of the squared mean, 0 to below 1. @default 0.99 */
  alpha?: number
  /** Added to the root, against division by zero. @default 1e-8 */
  epsilon?: number
  /** @default 0 */
  momentum?: number
  /** Divides by the deviation instead of the root mean square. @default false */
  centered?: boolean
  /** L2 penalty, added to the gradient. @default 0 */
  weightDecay?: number
}

/**
 * RMSProp: the gradient over the root of its running mean square.
 *
 * v = a v + (1 - a) g^2; w -= rate * g / (sqrt(v) + epsilon); with momentum, b = momentum * b + that ratio and w -= rate * b
 *
 * @see Hinton 2012, lecture 6e, in the form of PyTorch's `torch.optim.RMSprop`
 * @example
 * rmsprop({ learningRate: 1e-3 })
 */
export function rmsprop(options: RmspropOptions = {}): Optimizer {
  const { learningRate, alpha, epsilon, momentum, centered, weightDecay } = withDefaults('rmsprop', options, {
    learningRate: 0.01,
    alpha: 0.99,
    epsilon: 1e-8,
    momentum: 0,
    centered: false,
    weightDecay: 0,
  })
  checkOptions('rmsprop', learningRate, {
    alpha: { value: alpha, from: 0, below: 1 },
    epsilon: { value: epsilon, from: 0 },
    momentum: { value: momentum, from: 0, below: 1 },
    weightDecay: { value: weightDecay, from: 0 },
  })
  const slots = ['squaredMean', ...(momentum > 0 ? ['momentum'] : []), ...(centered ? ['mean'] : [])]
  return {
    name: 'rmsprop',
    options: { alpha, epsilon, momentum, centered, weightDecay },
    learningRate,
    slots,
    update({ parameters, gradients, gradientScale, slots: arrays, learningRate: rate }: UpdateRange) {
      const squaredMean = arrays[0]!
      const velocity = momentum > 0 ? arrays[1] : undefined
      const mean = centered ? arrays[arrays.length - 1] : undefined
      for (let i = 0; i < parameters.length; i++) {
        const gradient = gradientScale * gradients[i]! + weightDecay * parameters[i]!
        const v = alpha * squaredMean[i]! + (1 - alpha) * gradient * gradient
        squaredMean[i] = v
        let spread = v
        if (mean) {
          mean[i] = alpha * mean[i]! + (1 - alpha) * gradient
          // Rounding can bring the variance of a constant gradient below zero.
          spread = Math.max(0, v - mean[i]! * mean[i]!)
        }
        let direction = gradient / (Math.sqrt(spread) + epsilon)
        if (velocity) {
          velocity[i] = momentum * velocity[i]! + direction
          direction = velocity[i]!
        }
        parameters[i]! -= rate * direction
      }
    },
    fused(kernels, { parameters, gradients, gradientScale, slots: places, length, learningRate: rate }: FusedRange) {
      kernels.rmsprop(
        parameters,
        gradients,
        places[0]!,
        momentum > 0 ? places[1]! : 0,
        centered ? places[places.length - 1]! : 0,
        length,
        rate,
        alpha,
        epsilon,
        momentum,
        weightDecay,
        gradientScale,
      )
    },
  }
}
