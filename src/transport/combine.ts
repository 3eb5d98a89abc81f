/** How collectives combine arrays, whether they use messages or shared memory. @module */

import type { ReduceOperation, Reducible } from './collectives.js'

/**
 * Combines two arrays of one class and length into a third, which may be one of them. A mean is a sum until
 * `divideMean`.
 *
 * Sums have a loop for each class: one loop that saw several classes would be compiled for all of them, and run at a
 * fraction of the speed.
 */
export function combineInto(op: ReduceOperation, into: Reducible, a: Reducible, b: Reducible): void {
  switch (op) {
    case 'sum':
    case 'mean':
      if (into instanceof Float32Array) addFloat32(into, a as Float32Array, b as Float32Array)
      else if (into instanceof Float64Array) addFloat64(into, a as Float64Array, b as Float64Array)
      else addInt32(into, a as Int32Array, b as Int32Array)
      return
    case 'max':
      for (let i = 0; i < into.length; i++) into[i] = Math.max(a[i]!, b[i]!)
      return
    case 'min':
      for (let i = 0; i < into.length; i++) into[i] = Math.min(a[i]!, b[i]!)
      return
    default:
      op satisfies never
  }
}

/** Makes a mean of the sum over `count` ranks; leaves other results as they are. */
export function divideMean(op: ReduceOperation, array: Reducible, count: number): void {
  if (op === 'mean') for (let i = 0; i < array.length; i++) array[i]! /= count
}

function addFloat32(into: Float32Array, a: Float32Array, b: Float32Array): void {
  for (let i = 0; i < into.length; i++) into[i] = a[i]! + b[i]!
}

function addFloat64(into: Float64Array, a: Float64Array, b: Float64Array): void {
  for (let i = 0; i < into.length; i++) into[i] = a[i]! + b[i]!
}

function addInt32(into: Int32Array, a: Int32Array, b: Int32Array): void {
  for (let i = 0; i < into.length; i++) into[i] = a[i]! + b[i]!
}
