/** Applies an optimizer to the flat buffers of a model. @module */

import { wasmExports } from '../backends/index.js'
import type { FlatFloats, FlatParameters } from '../engine/index.js'
import { type Optimizer, rateOf } from './optimizer.js'

/** Slots of an optimizer, each as long as the parameters. */
export type Slots = readonly FlatFloats[]

/**
 * Updates all parameters in place: as one kernel where buffers and rule allow it, else in JavaScript.
 *
 * @param at - `step`: number of the update, from 1; `gradientScale`: what the gradients are multiplied by first.
 */
export function applyUpdate(
  optimizer: Optimizer,
  parameters: FlatParameters,
  slots: Slots,
  { step, gradientScale }: { step: number; gradientScale: number },
): void {
  const { length, entries } = parameters.layout
  const learningRate = rateOf(optimizer, step)
  const kernels = wasmExports()
  const weights = parameters.weights.device
  const gradients = parameters.sums.device
  if (optimizer.fused && kernels && weights && gradients) {
    const places = slots.map(({ device }) => device!.pointer)
    optimizer.fused(kernels, {
      parameters: weights.pointer,
      gradients: gradients.pointer,
      gradientScale,
      slots: places,
      length,
      step,
      learningRate,
    })
    return
  }
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

/** Euclidean norm of the gradients as they are. */
export function gradientNorm(parameters: FlatParameters): number {
  const { length } = parameters.layout
  const kernels = wasmExports()
  const { device } = parameters.sums
  if (kernels && device) return Math.sqrt(kernels.sumOfSquares(device.pointer, length))
  const gradients = parameters.gradients
  let squares = 0
  for (let i = 0; i < length; i++) squares += gradients[i]! * gradients[i]!
  return Math.sqrt(squares)
}
