/** Adam and AdamW: one rule, two ways to decay the weights. @module */

import { withDefaults } from '../core/index.js'
import { checkOptions, type FusedRange, type Optimizer, type UpdateRange } from './optimizer.js'
import type { Schedule } from './schedule.js'

/** Options of `adam` and `adamw`. */
export interface AdamOptions {
  /** @default 0.001 */
  learningRate?: number | Schedule
  /** Memory of the mean, 0 to below 1. @default 0.9 */
  beta1?: number
  /** Memory of the squared mean, 0 to below 1. @default 0.999 */
  beta2?: number
  /** Added to the root, against division by zero. @default 1e-8 */
  epsilon?: number
  /** `adam`: L2 penalty, default 0. `adamw`: share of the weight taken off at each step, default 0.01. */
  weightDecay?: number
}

/**
 * Adam: steps scaled by running means of the gradient and of its square.
 *
 * m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; w -= rate * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon)
 *
 * @see Kingma and Ba 2015, https://arxiv.org/abs/1412.6980
 * @example
 * adam({ learningRate: 1e-3 })
 */
export function adam(options: AdamOptions = {}): Optimizer {
  return adamRule('adam', options, { weightDecay: 0, isDecoupled: false })
}

/**
 * Adam with decoupled weight decay: w *= 1 - rate * weightDecay before the step, outside the running means.
 *
 * @see Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101
 * @example
 * adamw({ learningRate: 3e-4, weightDecay: 0.01 })
 */
export function adamw(options: AdamOptions = {}): Optimizer {
  return adamRule('adamw', options, { weightDecay: 0.01, isDecoupled: true })
}

function adamRule(name: string, options: AdamOptions, rule: { weightDecay: number; isDecoupled: boolean }): Optimizer {
  const { learningRate, beta1, beta2, epsilon, weightDecay } = withDefaults(name, options, {
    learningRate: 1e-3,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: rule.weightDecay,
  })
  checkOptions(name, learningRate, {
    beta1: { value: beta1, from: 0, below: 1 },
    beta2: { value: beta2, from: 0, below: 1 },
    epsilon: { value: epsilon, from: 0 },
    weightDecay: { value: weightDecay, from: 0 },
  })
  const factors = (step: number, rate: number) => ({
    stepSize: rate / (1 - beta1 ** step),
    rootScale: 1 / Math.sqrt(1 - beta2 ** step),
    keep: rule.isDecoupled ? 1 - rate * weightDecay : 1,
    penalty: rule.isDecoupled ? 0 : weightDecay,
  })
  return {
    name,
    options: { beta1, beta2, epsilon, weightDecay },
    learningRate,
    slots: ['mean', 'squaredMean'],
    update({ parameters, gradients, gradientScale, slots, step, learningRate: rate }: UpdateRange) {
      const [mean, squaredMean] = slots as [Float32Array, Float32Array]
      const { stepSize, rootScale, keep, penalty } = factors(step, rate)
      const fresh1 = 1 - beta1
      const fresh2 = 1 - beta2
      for (let i = 0; i < parameters.length; i++) {
        const weight = parameters[i]! * keep
        const gradient = gradientScale * gradients[i]! + penalty * parameters[i]!
        const m = beta1 * mean[i]! + fresh1 * gradient
        const v = beta2 * squaredMean[i]! + fresh2 * gradient * gradient
        mean[i] = m
        squaredMean[i] = v
        parameters[i] = weight - (stepSize * m) / (Math.sqrt(v) * rootScale + epsilon)
      }
    },
    fused(kernels, { parameters, gradients, gradientScale, slots, length, step, learningRate: rate }: FusedRange) {
      const [mean, squaredMean] = slots as [number, number]
      const { stepSize, rootScale, keep, penalty } = factors(step, rate)
      kernels.adam(
        parameters,
        gradients,
        mean,
        squaredMean,
        length,
        stepSize,
        rootScale,
        beta1,
        beta2,
        epsilon,
        keep,
        penalty,
        gradientScale,
      )
    },
  }
}
