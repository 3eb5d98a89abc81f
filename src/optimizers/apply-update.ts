/** Applies an optimizer to the flat buffers of a model. @module */

import { updateKernels } from '../backends/index.js'
import { StateError } from '../core/index.js'
import type { FlatFloats, FlatParameters, UpdateCall } from '../engine/index.js'
import { type FusedRange, type Optimizer, rateOf } from './optimizer.js'

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
  /** The first element that the gradients belong to. @default 0 */
  gradientsFrom?: number
}

/**
 * An update as the call of a kernel, to be made later; undefined where it is none.
 *
 * Arguments: those of `applyUpdate`.
 */
export function updateCall(
  optimizer: Optimizer,
  parameters: FlatParameters,
  slots: Slots,
  at: UpdateAt,
): UpdateCall | undefined {
  let call: UpdateCall | undefined
  const note =
    (name: UpdateCall['name']) =>
    (...values: number[]) => {
      call = { name, values }
    }
  const fused = fusedRange(parameters, slots, at, rateOf(optimizer, at.step))
  const kernels = {
    sgd: note('sgd'),
    adam: note('adam'),
    rmsprop: note('rmsprop'),
    adagrad: note('adagrad'),
    // One call for each tensor.
    lamb: () => {},
  }
  if (fused) optimizer.fused?.(kernels, fused)
  return call
}

/**
 * Updates parameters in place: as one kernel where buffers and rule allow it, else in JavaScript.
 *
 * @throws {StateError} if a range is given, and the rule needs whole tensors.
 */
export function applyUpdate(optimizer: Optimizer, parameters: FlatParameters, slots: Slots, at: UpdateAt): void {
  const { step, gradientScale, range, slotsFrom = 0, gradientsFrom = 0 } = at
  if (range && optimizer.wholeTensors)
    throw new StateError(`The rule ${optimizer.name} cannot update a share of the weights.`)
  const kernels = updateKernels()
  const fused = fusedRange(parameters, slots, at, rateOf(optimizer, step))
  if (optimizer.fused && kernels && fused) {
    optimizer.fused(kernels, fused)
    return
  }
  const { length, entries } = parameters.layout
  const { from, to } = range ?? { from: 0, to: length }
  optimizer.update({
    parameters: parameters.parameters.subarray(from, to),
    gradients: parameters.gradients.subarray(from - gradientsFrom, to - gradientsFrom),
    gradientScale,
    slots: slots.map((slot) => slot.view().subarray(from - slotsFrom, to - slotsFrom)),
    step,
    learningRate: rateOf(optimizer, step),
    tensors: range ? [] : entries,
  })
}

/** A range of the buffers as byte offsets; undefined where they are not in the memory of kernels. */
function fusedRange(
  { layout, weights: { device: weights }, sums: { device: sums } }: FlatParameters,
  slots: Slots,
  { step, gradientScale, range, slotsFrom = 0, gradientsFrom = 0 }: UpdateAt,
  learningRate: number,
): FusedRange | undefined {
  if (!weights || !sums) return undefined
  const { from, to } = range ?? { from: 0, to: layout.length }
  return {
    parameters: weights.pointer + from * 4,
    gradients: sums.pointer + (from - gradientsFrom) * 4,
    gradientScale,
    slots: slots.map(({ device }) => device!.pointer + (from - slotsFrom) * 4),
    length: to - from,
    tensors: range ? [] : layout.entries,
    step,
    learningRate,
  }
}

/** Sum of the squares of the gradients, or of a part of them, as they are. */
export function sumOfSquares(
  parameters: FlatParameters,
  { from, to } = { from: 0, to: parameters.layout.length },
): number {
  const kernels = updateKernels()
  const { device } = parameters.sums
  if (kernels && device) return kernels.sumOfSquares(device.pointer + from * 4, to - from)
  const gradients = parameters.gradients
  let squares = 0
  for (let i = from; i < to; i++) squares += gradients[i]! * gradients[i]!
  return squares
}
