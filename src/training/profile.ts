/** What a training step is made of and how long each part takes. @module */

import { formatProfile } from './profile-table.js'

/** One call of a kernel, timed. The first is the gathering of rows, the last the optimizer's update. */
export interface ProfileCall {
  /** What is computed, such as `matMul`, `relu` or `adam`. */
  readonly kernel: string
  /** The sizes that it is computed on, such as `32x64x784`. */
  readonly shape: string
  /** The shortest time of all repeats. */
  readonly ms: number
  /** Floating-point operations of products and convolutions; 0 for kernels that are bound by memory. */
  readonly flops: number
  /** Bytes read and written; 0 where they are not known. */
  readonly bytes: number
}

/** The figures of a profile. */
export interface ProfileFigures {
  /** Rows of the step. */
  readonly rows: number
  /** In the order in which they run. */
  readonly calls: readonly ProfileCall[]
  /** The whole step in one go. The calls timed one by one add up to a little more. */
  readonly stepMs: number
  /** Kernels that tfjs called for the gradients of one step. */
  readonly recordedCalls: number
  /** Calls that are left of them in the captured program. */
  readonly plannedCalls: number
  /** Bytes that the program holds: all tensors between the parameters and their gradients, constants included. */
  readonly programBytes: number
  /** GFLOP/s of a product of two matrices of 256 x 256 on the same kernels; absent on a GPU, which that leaves idle. */
  readonly peakGflops?: number
}

/**
 * The times of one training step, kernel by kernel: the result of `trainer.profile`.
 *
 * @example
 * console.log(String(await trainer.profile(train, { batchSize: 32 })))
 */
export class Profile implements ProfileFigures {
  readonly rows: number
  readonly calls: readonly ProfileCall[]
  readonly stepMs: number
  readonly recordedCalls: number
  readonly plannedCalls: number
  readonly programBytes: number
  readonly peakGflops?: number

  constructor(figures: ProfileFigures) {
    this.rows = figures.rows
    this.calls = figures.calls
    this.stepMs = figures.stepMs
    this.recordedCalls = figures.recordedCalls
    this.plannedCalls = figures.plannedCalls
    this.programBytes = figures.programBytes
    if (figures.peakGflops !== undefined) this.peakGflops = figures.peakGflops
  }

  /** A table for a terminal, one line for each kernel and shape, the costliest first. */
  toString(): string {
    return formatProfile(this)
  }

  /**
   * The calls one after another in the Trace Event Format, for chrome://tracing or Perfetto.
   *
   * @returns JSON; `ts` and `dur` in microseconds.
   * @see https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
   */
  toChromeTrace(): string {
    let ts = 0
    const track = { pid: 1, tid: 1 }
    const events = this.calls.map(({ kernel, shape, ms, flops, bytes }) => {
      const dur = ms * 1000
      const event = { name: `${kernel} ${shape}`, cat: kernel, ph: 'X', ts, dur, ...track, args: { flops, bytes } }
      ts += dur
      return event
    })
    const name = { name: 'process_name', ph: 'M', ...track, args: { name: `training step of ${this.rows} rows` } }
    return JSON.stringify({ traceEvents: [name, ...events] })
  }
}
