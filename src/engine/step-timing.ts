/**
 * How long a captured step and each of its calls take, and how fast the machine is at its best.
 *
 * Machines are noisy and noise only adds: every figure is the shortest of several times.
 * @module
 */

import { createDeviceFloats, wasmExports } from '../backends/index.js'
import { type CallCost, costOf } from './call-cost.js'
import { type CapturedStep, inputsOf } from './captured-step.js'
import type { Batch } from './engine.js'

/** One call, and the shortest time that it took. */
interface TimedCall extends CallCost {
  readonly ms: number
}

/** Times of one step. */
export interface StepTiming {
  /** In the order in which they run. */
  readonly calls: readonly TimedCall[]
  /** How many calls tfjs made for the same step. */
  readonly recordedCalls: number
  /** Bytes that the program holds: tensors, words of the calls and their tables. */
  readonly programBytes: number
  /** The whole program in one go, with the gathering of its rows. */
  readonly programMs: number
  /** The gathering of rows in JavaScript. */
  readonly rowsMs: number
}

/** Times a step as a whole and call by call. What it computes goes where a step's results go. */
export function timeCalls(captured: CapturedStep, batch: Batch, repeats: number): StepTiming {
  const { program, recordedCalls } = captured
  const best = program.calls.map(() => Number.POSITIVE_INFINITY)
  let programMs = Number.POSITIVE_INFINITY
  let rowsMs = Number.POSITIVE_INFINITY
  const inputs = inputsOf(batch)
  for (let i = 0; i < repeats; i++) {
    // Rows before each run: their memory may hold something else by its end.
    const start = performance.now()
    captured.fill(batch)
    const filled = performance.now()
    program.run(inputs)
    programMs = Math.min(programMs, performance.now() - start)
    rowsMs = Math.min(rowsMs, filled - start)
    captured.fill(batch)
    program.time(inputs).forEach((ms, call) => {
      best[call] = Math.min(best[call]!, ms)
    })
  }
  const calls = program.calls.map((call, i) => ({ ...costOf(call), ms: best[i]! }))
  return { calls, recordedCalls, programBytes: program.sizeBytes, programMs, rowsMs }
}

/** The shortest of several times of a function, in milliseconds. */
export function shortest(repeats: number, run: (repeat: number) => void): number {
  let best = Number.POSITIVE_INFINITY
  for (let i = 0; i < repeats; i++) {
    const start = performance.now()
    run(i)
    best = Math.min(best, performance.now() - start)
  }
  return best
}

// Large enough for full speed, small enough to end before the system takes the core away: about 1 ms.
const PEAK_SIZE = 256
const PEAK_REPEATS = 50

/**
 * GFLOP/s of a product of two matrices of 256 x 256: what the kernels reach on this machine when little is in their way.
 * Undefined on any backend but dcml-wasm.
 */
export function measurePeak(): number | undefined {
  const kernels = wasmExports()
  const size = PEAK_SIZE
  const floats = createDeviceFloats(3 * size * size)
  if (!kernels || !floats) return undefined
  const [a, b, out] = [0, 1, 2].map((i) => floats.pointer + i * size * size * 4) as [number, number, number]
  const ms = shortest(PEAK_REPEATS, () =>
    kernels.matMul(a, b, out, 0, 0, size, size, size, 0, 0, size, size, size, 1, 0, 0, 0),
  )
  floats.dispose()
  return (2 * size ** 3) / (ms * 1e6)
}
