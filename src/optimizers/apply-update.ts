/** Applies an optimizer to the flat buffers of a model. @module */

import { wasmExports } from '../backends/index.js'
import { StateError } from '../core/index.js'
import type { FlatFloats, FlatParameters } from '../engine/index.js'
import { type Optimizer, rateOf } from './optimizer.js'

/** Slots of an optimizer, each as long as the parameters, or as the part of them that this worker updates. */
export type Slots = readonly FlatFloats[]

/** When and where to update. */
export interface UpdateAt {
  /** Number of the update, from 1. */
  step: number
  /** What the gradients are multiplied by first. */
  gradientScale: number
  /** First and last element but one. @default all */
  range?: { from: number; to: number }
  /** The first element that the slots belong to. @default 0 */
  slotsFrom?: number
}

/**
 * Updates parameters in place: as one kernel where buffers and rule allow it, else in JavaScript.
 *
 * @throws {StateError} if a range is given, and the rule needs whole tensors.
 */
export function applyUpdate(
  optimizer: Optimizer,
  parameters: FlatParameters,
  slots: Slots,
  { step, gradientScale, range, slotsFrom = 0 }: UpdateAt,
): void {
  if (range && optimizer.wholeTensors)
    throw new StateError(`The rule ${optimizer.name} cannot update a share of the weights.`)
  const { length, entries } = parameters.layout
  const { from, to } = range ?? { from: 0, to: length }
  const tensors = range ? [] : entries
  const learningRate = rateOf(optimizer, step)
  const kernels = wasmExports()
  const weights = parameters.weights.device
  const gradients = parameters.sums.device
  if (optimizer.fused && kernels && weights && gradients) {
    optimizer.fused(kernels, {
      parameters: weights.pointer + from * 4,
      gradients: gradients.pointer + from * 4,
      gradientScale,
      slots: slots.map(({ device }) => device!.pointer + (from - slotsFrom) * 4),
      length: to - from,
      tensors,
      step,
      learningRate,
    })
    return
  }
  optimizer.update({
    parameters: parameters.parameters.subarray(from, to),
    gradients: parameters.gradients.subarray(from, to),
    gradientScale,
    slots: slots.map((slot) => slot.view().subarray(from - slotsFrom, to - slotsFrom)),
    step,
    learningRate,
    tensors,
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
