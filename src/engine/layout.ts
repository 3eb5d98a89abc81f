/**
 * Where each tensor lies in a flat buffer of parameters, gradients or optimizer slots.
 * @module
 */

import { sizeOf } from '../core/index.js'

/** One tensor in a flat buffer. */
interface LayoutEntry {
  readonly name: string
  readonly shape: readonly number[]
  /** First element, counted in elements. */
  readonly offset: number
  /** Number of elements. */
  readonly length: number
}

/** The table of a flat buffer. */
export interface ParameterLayout {
  readonly entries: readonly LayoutEntry[]
  /** Elements of the whole buffer. */
  readonly length: number
}

// Every tensor starts on a 16-byte boundary, so that SIMD kernels may load it in vectors.
const ALIGNMENT = 4

/** Lays tensors out one after another. The gaps between them stay zero. */
export function createLayout(tensors: readonly { name: string; shape: readonly number[] }[]): ParameterLayout {
  let offset = 0
  const entries = tensors.map(({ name, shape }) => {
    const entry = { name, shape: [...shape], offset, length: sizeOf(shape) }
    offset += Math.ceil(entry.length / ALIGNMENT) * ALIGNMENT
    return entry
  })
  return { entries, length: offset }
}
