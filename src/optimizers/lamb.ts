/** LAMB: Adam for very large batches. @module */

import { withDefaults } from '../core/index.js'
import { checkOptions, type FusedRange, type Optimizer, type UpdateRange } from './optimizer.js'
import type { Schedule } from './schedule.js'

/** Options of `lamb`. */
export interface LambOptions {
  /** @default 0.001 */
  learningRate?: number | Schedule
  /** Memory of the mean, 0 to below 1. @default 0.9 */
  beta1?: number
  /** Memory of the squared mean, 0 to below 1. @default 0.999 */
  beta2?: number
  /** Added to the root, against division by zero. @default 1e-6 */
  epsilon?: number
  /** Decoupled weight decay. @default 0.01 */
  weightDecay?: number
}

/**
 * Adam's direction u, with each tensor's step scaled by |w| / |u|.
 *
 * u = (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon) + weightDecay * w; w -= rate * (|w| / |u|) * u, the ratio
 * being 1 where either norm is 0
 *
 * @see You et al. 2020, algorithm 2, https://arxiv.org/abs/1904.00962
 * @example
 * lamb({ learningRate: 2e-3 })
 */
export function lamb(options: LambOptions = {}): Optimizer {
  const { learningRate, beta1, beta2, epsilon, weightDecay } = withDefaults('lamb', options, {
    learningRate: 1e-3,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-6,
    weightDecay: 0.01,
  })
  checkOptions('lamb', learningRate, {
    beta1: { value: beta1, from: 0, below: 1 },
    beta2: { value: beta2, from: 0, below: 1 },
    epsilon: { value: epsilon, from: 0 },
    weightDecay: { value: weightDecay, from: 0 },
  })
  return {
    name: 'lamb',
    options: { beta1, beta2, epsilon, weightDecay },
    learningRate,
    slots: ['mean', 'squaredMean'],
    wholeTensors: true,
    update({ parameters, gradients, gradientScale, slots, step, learningRate: rate, tensors }: UpdateRange) {
      const [mean, squaredMean] = slots as [Float32Array, Float32Array]
      const correction1 = 1 / (1 - beta1 ** step)
      const correction2 = 1 / (1 - beta2 ** step)
      for (const { offset, length } of tensors) {
        const direction = new Float32Array(length)
        let weightNorm = 0
        let directionNorm = 0
        for (let j = 0; j < length; j++) {
          const i = offset + j
          const gradient = gradientScale * gradients[i]!
          const weight = parameters[i]!
          mean[i] = beta1 * mean[i]! + (1 - beta1) * gradient
          squaredMean[i] = beta2 * squaredMean[i]! + (1 - beta2) * gradient * gradient
          const u =
            (mean[i]! * correction1) / (Math.sqrt(squaredMean[i]! * correction2) + epsilon) + weightDecay * weight
          direction[j] = u
          weightNorm += weight * weight
          directionNorm += u * u
        }
        const trust = weightNorm > 0 && directionNorm > 0 ? Math.sqrt(weightNorm / directionNorm) : 1
        for (let j = 0; j < length; j++) parameters[offset + j]! -= rate * trust * direction[j]!
      }
    },
    fused(kernels, { parameters, gradients, gradientScale, slots, tensors, step, learningRate: rate }: FusedRange) {
      const meanScale = 1 / (1 - beta1 ** step)
      const rootScale = 1 / Math.sqrt(1 - beta2 ** step)
      for (const { offset, length } of tensors) {
        const at = (start: number) => start + offset * 4
        kernels.lamb(
          at(parameters),
          at(gradients),
          at(slots[0]!),
          at(slots[1]!),
          length,
          rate,
          meanScale,
          rootScale,
          beta1,
          beta2,
          epsilon,
          weightDecay,
          gradientScale,
        )
      }
    },
  }
}
