/**
 * How two shapes are broadcast, in the fewest axes.
 *
 * Neighbouring axes along which each operand does the same (moves on, or stays) become one. What training does nearly
 * always ends with at most two axes: same shapes, a scalar, a row vector, a column.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'

/** The longest form that the kernels take. */
const MAX_AXES = 6

/** Result of `planBroadcast`; one object, overwritten by each call, since a kernel call must not allocate. */
export const plan = {
  /** Number of merged axes; -1: more than the kernels take. */
  axes: 0,
  /** Lengths of the merged axes, the slowest first. */
  lengths: new Int32Array(64),
  /** Element strides of a along them, 0 where it stays. */
  stridesA: new Int32Array(64),
  stridesB: new Int32Array(64),
}

/**
 * Works out `plan` for two shapes.
 *
 * @returns The shape of the result.
 * @throws {Error} if the shapes do not broadcast; the message is tfjs'.
 */
export function planBroadcast(a: number[], b: number[]): number[] {
  if (isSame(a, b)) {
    let length = 1
    for (let i = 0; i < a.length; i++) length *= a[i]!
    setSingle(length, 1, 1)
    return a
  }
  const shape = tf.broadcast_util.assertAndGetBroadcastShape(a, b)
  const rank = shape.length
  // From the fastest axis to the slowest; turned round at the end.
  const { lengths, stridesA, stridesB } = plan
  let axes = 0
  let sizeA = 1
  let sizeB = 1
  for (let i = rank - 1; i >= 0; i--) {
    const length = shape[i]!
    if (length === 1) continue
    const movesA = (a[i - rank + a.length] ?? 1) !== 1
    const movesB = (b[i - rank + b.length] ?? 1) !== 1
    const last = axes - 1
    if (axes > 0 && movesA === stridesA[last]! > 0 && movesB === stridesB[last]! > 0) lengths[last]! *= length
    else {
      lengths[axes] = length
      stridesA[axes] = movesA ? sizeA : 0
      stridesB[axes] = movesB ? sizeB : 0
      axes++
    }
    if (movesA) sizeA *= length
    if (movesB) sizeB *= length
  }
  if (axes === 0) setSingle(shape.includes(0) ? 0 : 1, 1, 1)
  else {
    lengths.subarray(0, axes).reverse()
    stridesA.subarray(0, axes).reverse()
    stridesB.subarray(0, axes).reverse()
    plan.axes = axes <= MAX_AXES ? axes : -1
  }
  return shape
}

/** Writes the plan as 18 int32: shape, strides of a, strides of b, six each. */
export function writePlan(ints: Int32Array, start: number): void {
  const leading = MAX_AXES - plan.axes
  for (let i = 0; i < MAX_AXES; i++) {
    const axis = i - leading
    ints[start + i] = axis < 0 ? 1 : plan.lengths[axis]!
    ints[start + MAX_AXES + i] = axis < 0 ? 0 : plan.stridesA[axis]!
    ints[start + 2 * MAX_AXES + i] = axis < 0 ? 0 : plan.stridesB[axis]!
  }
}

function setSingle(length: number, strideA: number, strideB: number): void {
  plan.axes = 1
  plan.lengths[0] = length
  plan.stridesA[0] = strideA
  plan.stridesB[0] = strideB
}

function isSame(a: number[], b: number[]): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}
