/**
 * The optimizer contract: a pure description, named slots, an update over a flat range.
 * @module
 */

import type { KernelExports } from '../backends/index.js'
import { ConfigError } from '../core/index.js'
import { learningRateAt, type Schedule } from './schedule.js'

/** An optimizer as plain data: what a checkpoint stores and a worker receives. */
export interface OptimizerDescription {
  name: string
  options: Record<string, number | boolean>
  learningRate: number | Schedule
}

/** One update of a range of parameters. All arrays have the same length and are float32. */
export interface UpdateRange {
  /** Changed in place. */
  parameters: Float32Array
  /** Gradients; not changed. */
  gradients: Float32Array
  /** What the gradients are multiplied by first: 1 / rows turns sums into means, less of it clips. */
  gradientScale: number
  /** One array per name in `slots`, changed in place; zero before the first update. */
  slots: readonly Float32Array[]
  /** Number of this update, from 1. */
  step: number
  /** Rate of this update. */
  learningRate: number
  /** Where each tensor lies in the range, for rules that need norms per tensor. */
  tensors: readonly { offset: number; length: number }[]
}

/** The same for the memory of dcml's wasm backend: arrays are byte offsets. */
export interface FusedRange {
  parameters: number
  gradients: number
  gradientScale: number
  slots: readonly number[]
  /** Number of elements. */
  length: number
  /** Where each tensor lies in the range, as in `UpdateRange`. */
  tensors: readonly { offset: number; length: number }[]
  step: number
  learningRate: number
}

/** The kernels of update rules. */
export type UpdateKernels = Pick<KernelExports, 'sgd' | 'adam' | 'rmsprop' | 'adagrad' | 'lamb'>

/**
 * An update rule. It has no state of its own: the slots do.
 *
 * @example
 * const optimizer = adam({ learningRate: 1e-3 })
 */
export interface Optimizer extends OptimizerDescription {
  /** Names of the float32 values kept per parameter, such as `momentum`. */
  readonly slots: readonly string[]
  /** Whether the rule needs norms of whole tensors, so that no part of one can be updated alone. @default false */
  readonly wholeTensors?: boolean
  /** Applies one update in place. */
  update(range: UpdateRange): void
  /** The same as one kernel, for the rules that have one. */
  fused?(kernels: UpdateKernels, range: FusedRange): void
}

/** Learning rate of an update. `step` counts from 1. */
export function rateOf(optimizer: OptimizerDescription, step: number): number {
  return learningRateAt(optimizer.learningRate, step - 1)
}

/** Checks the numbers of an optimizer's options. */
export function checkOptions(
  name: string,
  learningRate: number | Schedule,
  options: Record<string, { value: number; from: number; below?: number }>,
): void {
  if (typeof learningRate === 'number' && !(Number.isFinite(learningRate) && learningRate >= 0))
    throw new ConfigError(`The learning rate of ${name} is out of range.`, {
      expected: 'a finite number of at least 0, or a schedule',
      received: learningRate,
    })
  for (const [option, { value, from, below }] of Object.entries(options)) {
    if (Number.isFinite(value) && value >= from && (below === undefined || value < below)) continue
    throw new ConfigError(`The option ${option} of ${name} is out of range.`, {
      expected: below === undefined ? `a number of at least ${from}` : `a number from ${from} to below ${below}`,
      received: value,
    })
  }
}
