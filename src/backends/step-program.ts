/** Planned kernel calls that run again and again without tfjs: what every backend makes of them. @module */

import type { stopCodes } from './wasm/exports.js'
import type { Place, ProgramCall, RecordedCall } from './wasm/program/recorder.js'

/** What to run, and where. */
export interface ProgramPlan {
  readonly calls: readonly RecordedCall[]
  /** Bytes of the range that holds all buffers. */
  readonly bytes: number
  /** Byte offset of each buffer in that range. */
  readonly offsets: ReadonlyMap<number, number>
  /** Bytes of each buffer. */
  readonly sizes: readonly number[]
  /** Buffers that are the same at every step. */
  readonly constants: ReadonlyMap<number, Uint8Array>
}

/** Numbers that change from run to run, by the names that calls have for them; int32 or pointers. */
export type ProgramInputs = Readonly<Record<string, number>>

/** Where a program leaves floats, and how many. */
export interface ProgramResult {
  readonly place: Place
  readonly length: number
}

/** Inputs of a loop that change from run to run, by name: whole numbers and pointers, then float32. */
export interface VaryingInputs {
  readonly ints: readonly string[]
  readonly floats: readonly string[]
}

/** How a part of a loop ended. */
export interface LoopOutcome {
  /** Runs that are complete, or (where the backend does not wait for them) will be. */
  readonly runs: number
  /** Why the next one is not, if it was begun; 'fault': an index lay outside its range. */
  readonly stop?: keyof typeof stopCodes | 'fault'
}

/**
 * A list of calls that runs many times, with what changes from run to run in a table. A loss that is not a finite number
 * (see `totals`) ends it: the calls after that change nothing.
 */
export interface ProgramLoop {
  /** Begins a course of runs: sets the inputs that do not change in it. */
  begin(inputs: ProgramInputs): void
  /** Sets what does for one run of the next part, in the order of their names. */
  setRun(run: number, ints: readonly number[], floats: readonly number[]): void
  /** Runs a part: so many times, or until a call says that it is enough. A GPU does so while JavaScript goes on. */
  run(count: number): LoopOutcome
  /** Gives the memory back. */
  dispose(): void
}

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
  /** Floats that the last run left; views that the next one may overwrite, or copies. */
  read(results: readonly ProgramResult[]): Promise<Float32Array[]>
  /**
   * A loop over other calls on the same buffers.
   *
   * @param capacity - Runs of a part, at most.
   */
  loop(calls: readonly ProgramCall[], varying: VaryingInputs, capacity: number): ProgramLoop
  /** Gives the memory back. */
  dispose(): void
}
