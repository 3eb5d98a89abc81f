/** How collectives combine arrays, whether they use messages or shared memory. @module */

import type { ReduceOperation, Reducible } from './collectives.js'
import { type FloatSums, floatSums } from './float-sums.js'

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
  if (op !== 'mean' || count === 1) return
  const desk = array instanceof Float32Array && array.length >= WORTHWHILE && openDesk()
  if (!desk) {
    for (let i = 0; i < array.length; i++) array[i]! /= count
    return
  }
  for (let start = 0; start < array.length; start += BLOCK) {
    const block = array.subarray(start, start + BLOCK) as Float32Array
    desk.first.set(block)
    desk.sums.divide(desk.first.byteOffset, block.length, count)
    block.set(desk.first.subarray(0, block.length))
  }
}

/** Elements that are added at a time: two blocks lie in the nearest caches. */
const BLOCK = 8192
/** From this length on the way through WebAssembly pays. */
const WORTHWHILE = 1024

/** A memory of this thread in which WebAssembly adds: copying there and back is faster than adding in JavaScript. */
interface Desk {
  sums: FloatSums
  first: Float32Array
  second: Float32Array
}

/** Undefined until it is needed, null where there is no WebAssembly SIMD. */
let desk: Desk | null | undefined

function openDesk(): Desk | null {
  if (desk === undefined) {
    const memory = new WebAssembly.Memory({ initial: 2, maximum: 2 })
    const sums = floatSums(memory)
    const array = (place: number) => new Float32Array(memory.buffer, place * BLOCK * 4, BLOCK)
    desk = sums ? { sums, first: array(0), second: array(1) } : null
  }
  return desk
}

function addFloat32(into: Float32Array, a: Float32Array, b: Float32Array): void {
  const at = into.length >= WORTHWHILE && openDesk()
  if (!at) {
    for (let i = 0; i < into.length; i++) into[i] = a[i]! + b[i]!
    return
  }
  const { sums, first, second } = at
  for (let start = 0; start < into.length; start += BLOCK) {
    const end = Math.min(into.length, start + BLOCK)
    first.set(a.subarray(start, end))
    second.set(b.subarray(start, end))
    sums.add(first.byteOffset, first.byteOffset, second.byteOffset, end - start)
    into.set(first.subarray(0, end - start), start)
  }
}

function addFloat64(into: Float64Array, a: Float64Array, b: Float64Array): void {
  for (let i = 0; i < into.length; i++) into[i] = a[i]! + b[i]!
}

function addInt32(into: Int32Array, a: Int32Array, b: Int32Array): void {
  for (let i = 0; i < into.length; i++) into[i] = a[i]! + b[i]!
}
