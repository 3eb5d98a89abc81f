/** Planned kernel calls that run again and again without tfjs: what every backend makes of them. @module */

import type { LoopPlan, ProgramLoop } from './wasm/program/loop.js'
import type { Place, ProgramCall, RecordedCall } from './wasm/program/recorder.js'

/** What to run, and where. */
export interface ProgramPlan {
  readonly calls: readonly RecordedCall[]
  /** Bytes of the range that holds all buffers. */
  readonly bytes: number
  /** Byte offset of each buffer in that range. */
  readonly offsets: ReadonlyMap<number, number>
  /** Buffers that are the same at every step. */
  readonly constants: ReadonlyMap<number, Uint8Array>
}

/** Numbers that change from run to run, by the names that calls have for them; int32 or pointers. */
export type ProgramInputs = Readonly<Record<string, number>>

/** One program in the memory of a backend. */
export interface StepProgram {
  /** What the program runs, in order. */
  readonly calls: readonly RecordedCall[]
  /** Bytes that the program holds. */
  readonly sizeBytes: number
  /** Whether a native library computes a part of it. */
  readonly isAssisted: boolean
  /** Where a place is in the backend's memory. */
  address(place: Place): number
  /**
   * Runs all calls.
   *
   * @returns How many indices of gathered rows lay outside their range, where the backend looks at them.
   */
  run(inputs: ProgramInputs): number
  /** Says what the next calls run on. */
  setInputs(values: ProgramInputs): void
  /** Runs some of the calls. @returns As `run`. */
  runCalls(from: number, to: number): number
  /** Runs the calls one by one and tells the milliseconds of each, in order. */
  time(inputs: ProgramInputs): number[]
  /** Floats that a run left; a view that the next run may overwrite, or a copy. */
  read(place: Place, length: number): Float32Array
  /** A loop over other calls on the same buffers, where the backend has loops. */
  loop?(calls: readonly ProgramCall[], varying: LoopPlan['varying'], capacity: number): ProgramLoop
  /** Gives the memory back. */
  dispose(): void
}
