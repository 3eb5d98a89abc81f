/**
 * Learning rates as a function of the step, described by plain data so that they travel to workers and checkpoints.
 * @module
 */

import { ConfigError, withDefaults } from '../core/index.js'

/** A learning rate that changes with the step. Made by `constant`, `cosine`, `warmupCosine`, `stepDecay`, `oneCycle`. */
export type Schedule =
  | { readonly kind: 'constant'; readonly rate: number }
  | { readonly kind: 'cosine'; readonly rate: number; readonly steps: number; readonly final: number }
  | {
      readonly kind: 'warmupCosine'
      readonly rate: number
      readonly warmupSteps: number
      readonly steps: number
      readonly final: number
    }
  | { readonly kind: 'stepDecay'; readonly rate: number; readonly everySteps: number; readonly factor: number }
  | {
      readonly kind: 'oneCycle'
      readonly rate: number
      readonly steps: number
      readonly warmupFraction: number
      readonly startDivisor: number
      readonly finalDivisor: number
    }

/** The same rate at every step. */
export function constant(rate: number): Schedule {
  return { kind: 'constant', rate: positive('rate', rate) }
}

/**
 * Half a cosine from `rate` down to `final`.
 *
 * @param options - `steps`: after how many steps `final` is reached; it stays there. `final`: default 0.
 * @see Loshchilov and Hutter 2017, https://arxiv.org/abs/1608.03983
 */
export function cosine(rate: number, options: { steps: number; final?: number }): Schedule {
  const { steps, final } = withDefaults('cosine', options, { steps: undefined, final: 0 })
  return { kind: 'cosine', rate: positive('rate', rate), steps: positive('steps', steps), final }
}

/** A linear rise over `warmupSteps`, then half a cosine down to `final` (default 0) at step `steps`. */
export function warmupCosine(rate: number, options: { warmupSteps: number; steps: number; final?: number }): Schedule {
  const { warmupSteps, steps, final } = withDefaults('warmupCosine', options, {
    warmupSteps: undefined,
    steps: undefined,
    final: 0,
  })
  if (warmupSteps >= steps)
    throw new ConfigError('The warm-up is as long as the whole schedule.', {
      expected: `warmupSteps below ${steps}`,
      received: warmupSteps,
    })
  return {
    kind: 'warmupCosine',
    rate: positive('rate', rate),
    warmupSteps,
    steps: positive('steps', steps),
    final,
  }
}

/** Multiplies the rate by `factor` (default 0.1) every `everySteps` steps. */
export function stepDecay(rate: number, options: { everySteps: number; factor?: number }): Schedule {
  const { everySteps, factor } = withDefaults('stepDecay', options, { everySteps: undefined, factor: 0.1 })
  return { kind: 'stepDecay', rate: positive('rate', rate), everySteps: positive('everySteps', everySteps), factor }
}

/**
 * Rises to `rate` over the first part of training and falls far below its start, both along a cosine.
 *
 * @param options - `steps`: length of training. `warmupFraction`: share of it that rises, default 0.3. The start is
 *   `rate / startDivisor` (default 25), the end `start / finalDivisor` (default 10,000).
 * @see Smith and Topin 2018, https://arxiv.org/abs/1708.07120
 */
export function oneCycle(
  rate: number,
  options: { steps: number; warmupFraction?: number; startDivisor?: number; finalDivisor?: number },
): Schedule {
  const { steps, ...shape } = withDefaults('oneCycle', options, {
    steps: undefined,
    warmupFraction: 0.3,
    startDivisor: 25,
    finalDivisor: 1e4,
  })
  return { kind: 'oneCycle', rate: positive('rate', rate), steps: positive('steps', steps), ...shape }
}

/**
 * The learning rate of one step.
 *
 * @param step - Number of updates made before this one, from 0.
 */
export function learningRateAt(schedule: number | Schedule, step: number): number {
  if (typeof schedule === 'number') return schedule
  switch (schedule.kind) {
    case 'constant':
      return schedule.rate
    case 'cosine':
      return cosineBetween(schedule.rate, schedule.final, step / schedule.steps)
    case 'warmupCosine': {
      const { warmupSteps } = schedule
      if (step < warmupSteps) return (schedule.rate * (step + 1)) / warmupSteps
      return cosineBetween(schedule.rate, schedule.final, (step - warmupSteps) / (schedule.steps - warmupSteps))
    }
    case 'stepDecay':
      return schedule.rate * schedule.factor ** Math.floor(step / schedule.everySteps)
    case 'oneCycle': {
      // As PyTorch: phases end at whole steps, the last step has the final rate.
      const start = schedule.rate / schedule.startDivisor
      const rise = schedule.warmupFraction * schedule.steps - 1
      if (step <= rise) return cosineBetween(start, schedule.rate, step / rise)
      const fall = schedule.steps - 1 - rise
      return cosineBetween(schedule.rate, start / schedule.finalDivisor, fall > 0 ? (step - rise) / fall : 1)
    }
    default:
      return schedule satisfies never
  }
}

function cosineBetween(from: number, to: number, fraction: number): number {
  return to + ((from - to) * (1 + Math.cos(Math.PI * Math.min(1, fraction)))) / 2
}

function positive(name: string, value: number): number {
  if (!(Number.isFinite(value) && value > 0))
    throw new ConfigError(`The schedule's ${name} is out of range.`, { expected: 'a number above 0', received: value })
  return value
}
