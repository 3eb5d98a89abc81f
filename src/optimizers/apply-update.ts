/** Applies an optimizer to the flat buffers of a model. @module */

import { wasmExports } from '../backends/index.js'
import { StateError } from '../core/index.js'
import type { FlatFloats, FlatParameters } from '../engine/index.js'
import { type Optimizer, rateOf } from './optimizer.js'

/** Slots of an optimizer, each as long as the parameters. */
export type Slots = readonly FlatFloats[]

/** When and where to update. */
export interface UpdateAt {
  /** Number of the update, from 1. */
  step: number
  /** What the gradients are multiplied by first. */
  gradientScale: number
  /** First and last element but one. @default all */
  range?: { from: number; to: number }
}

/**
 * Updates parameters in place: as one kernel where buffers and rule allow it, else all of them in JavaScript.
 *
 * @throws {StateError} if a range is given, and there is no kernel that could update it alone.
 */
export function applyUpdate(
  optimizer: Optimizer,
  parameters: FlatParameters,
  slots: Slots,
  { step, gradientScale, range }: UpdateAt,
): void {
  const { length, entries } = parameters.layout
  const learningRate = rateOf(optimizer, step)
  const kernels = wasmExports()
  const weights = parameters.weights.device
  const gradients = parameters.sums.device
  if (optimizer.fused && kernels && weights && gradients) {
    const { from, to } = range ?? { from: 0, to: length }
    const at = ({ pointer }: { pointer: number }) => pointer + from * 4
    optimizer.fused(kernels, {
      parameters: at(weights),
      gradients: at(gradients),
      gradientScale,
      slots: slots.map(({ device }) => at(device!)),
      length: to - from,
      step,
      learningRate,
    })
    return
  }
  if (range) throw new StateError(`The rule ${optimizer.name} cannot update a share of the weights.`)
  optimizer.update({
    parameters: parameters.parameters,
    gradients: parameters.gradients.subarray(0, length),
    gradientScale,
    slots: slots.map((slot) => slot.view()),
    step,
    learningRate,
    tensors: entries,
  })
}

/** Sum of the squares of the gradients, or of a part of them, as they are. */
export function sumOfSquares(
  parameters: FlatParameters,
  { from, to } = { from: 0, to: parameters.layout.length },
): number {
  const kernels = wasmExports()
  const { device } = parameters.sums
  if (kernels && device) return kernels.sumOfSquares(device.pointer + from * 4, to - from)
  const gradients = parameters.gradients
  let squares = 0
  for (let i = from; i < to; i++) squares += gradients[i]! * gradients[i]!
  return squares
}
