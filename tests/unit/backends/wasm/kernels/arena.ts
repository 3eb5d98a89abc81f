/** Puts arrays into a kernel module's memory and takes results out. @module */

import type { BackendName } from '../../../../../src/backends/index.js'
import type { KernelExports } from '../../../../../src/backends/wasm/exports.js'
import { loadKernels } from '../../../../../src/backends/wasm/module.js'

/** Arrays in a memory, and the kernels that work on it. */
export interface Arena {
  readonly backend: BackendName
  wasm: KernelExports
  floats(values: ArrayLike<number>): number
  ints(values: ArrayLike<number>): number
  bytes(values: ArrayLike<number>): number
  /** A range for a result, full of NaN. */
  room(length: number): number
  readFloats(pointer: number, length: number): Float32Array
  readInts(pointer: number, length: number): Int32Array
  readBytes(pointer: number, length: number): Uint8Array
  reset(): void
}

let other: (() => Promise<Arena>) | undefined

/** Lets the tests that follow run on the kernels of another backend. */
export function useArena(open: () => Promise<Arena>): void {
  other = open
}

/** Loads the kernels with a memory that only grows; `shared` as in `loadKernels`. */
export async function openArena(shared = false): Promise<Arena> {
  if (other) return other()
  const { exports, memory, heapBase } = await loadKernels({ shared })
  let top = heapBase
  const take = (sizeBytes: number): number => {
    const pointer = top
    top = Math.ceil((top + sizeBytes) / 64) * 64
    const missing = top - memory.buffer.byteLength
    if (missing > 0) memory.grow(Math.ceil(missing / 65536))
    return pointer
  }
  return {
    backend: 'wasm',
    wasm: exports,
    floats(values: ArrayLike<number>): number {
      const pointer = take(values.length * 4)
      new Float32Array(memory.buffer, pointer, values.length).set(values)
      return pointer
    },
    ints(values: ArrayLike<number>): number {
      const pointer = take(values.length * 4)
      new Int32Array(memory.buffer, pointer, values.length).set(values)
      return pointer
    },
    bytes(values: ArrayLike<number>): number {
      const pointer = take(values.length)
      new Uint8Array(memory.buffer, pointer, values.length).set(values)
      return pointer
    },
    room: (length: number): number => {
      const pointer = take(length * 4)
      new Float32Array(memory.buffer, pointer, length).fill(Number.NaN)
      return pointer
    },
    readFloats: (pointer: number, length: number) => new Float32Array(memory.buffer, pointer, length).slice(),
    readInts: (pointer: number, length: number) => new Int32Array(memory.buffer, pointer, length).slice(),
    readBytes: (pointer: number, length: number) => new Uint8Array(memory.buffer, pointer, length).slice(),
    reset(): void {
      top = heapBase
    },
  }
}

/** Seeded numbers: the 32-bit generator mulberry32. */
export function seeded(seed: number) {
  let state = seed
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    uniform,
    integer: (from: number, to: number) => from + Math.floor(uniform() * (to - from + 1)),
    floats: (length: number, scale = 1) => Float32Array.from({ length }, () => (uniform() * 2 - 1) * scale),
  }
}

/** Largest |actual - expected| / max(1, |expected|); NaN when one of them is not a number. */
export function worstError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.NaN
  let worst = 0
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!) / Math.max(1, Math.abs(expected[i]!))
    if (!(error <= worst)) worst = error
    if (Number.isNaN(error)) return error
  }
  return worst
}
