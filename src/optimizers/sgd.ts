/** Stochastic gradient descent. @module */

import { withDefaults } from '../core/index.js'
import { checkOptions, type FusedRange, type Optimizer, type UpdateRange } from './optimizer.js'
import type { Schedule } from './schedule.js'

/** Options of `sgd`. */
export interface SgdOptions {
  /** @default 0.01 */
  learningRate?: number | Schedule
  /** Share of the last step that is kept, 0 to below 1. @default 0 */
  momentum?: number
  /** Looks ahead along the momentum. @default false */
  nesterov?: boolean
  /** L2 penalty, added to the gradient. @default 0 */
  weightDecay?: number
}

/**
 * Gradient descent, with momentum when asked for.
 *
 * g = gradient + weightDecay * w; v = momentum * v + g (v = g at the first step); w -= rate * (nesterov ? g + momentum * v : v)
 *
 * @see Sutskever et al. 2013, in the form of PyTorch's `torch.optim.SGD`
 * @example
 * sgd({ learningRate: 0.1, momentum: 0.9 })
 */
export function sgd(options: SgdOptions = {}): Optimizer {
  const { learningRate, momentum, nesterov, weightDecay } = withDefaults('sgd', options, {
    learningRate: 0.01,
    momentum: 0,
    nesterov: false,
    weightDecay: 0,
  })
  checkOptions('sgd', learningRate, {
    momentum: { value: momentum, from: 0, below: 1 },
    weightDecay: { value: weightDecay, from: 0 },
  })
  return {
    name: 'sgd',
    options: { momentum, nesterov, weightDecay },
    learningRate,
    slots: momentum > 0 ? ['momentum'] : [],
    update({ parameters, gradients, gradientScale, slots, learningRate: rate }: UpdateRange) {
      const velocity = slots[0]
      for (let i = 0; i < parameters.length; i++) {
        const gradient = gradientScale * gradients[i]! + weightDecay * parameters[i]!
        let direction = gradient
        if (velocity) {
          // Zero before the first step, so that the first velocity is the gradient itself.
          velocity[i] = momentum * velocity[i]! + gradient
          direction = nesterov ? gradient + momentum * velocity[i]! : velocity[i]!
        }
        parameters[i]! -= rate * direction
      }
    },
    fused(kernels, { parameters, gradients, gradientScale, slots, length, learningRate: rate }: FusedRange) {
      const velocity = slots[0] ?? 0
      kernels.sgd(parameters, gradients, velocity, length, rate, momentum, +nesterov, weightDecay, gradientScale)
    },
  }
}
