/**
 * A captured step on a GPU.
 *
 * Owns: one range for all that the calls compute, and which runs of calls are one CUDA graph.
 * Leaves: which calls, and where each buffer lies in that range, to whoever planned it.
 * @module
 */

import type { ProgramInputs, ProgramPlan, StepProgram } from '../step-program.js'
import { kindsOf } from '../wasm/program/call-table.js'
import type { Place, RecordedCall } from '../wasm/program/recorder.js'
import type { CudaBackend } from './cuda-backend.js'
import type { CudaGraph } from './cuda-device.js'

/** A call with its arguments. */
interface BoundCall {
  readonly kernel: (...values: number[]) => unknown
  readonly values: number[]
  readonly info: Int32Array | undefined
  /** Names of the arguments that are given anew at each run, by their index. */
  readonly inputs: readonly (readonly [index: number, name: string])[]
}

/** Calls in a row that take nothing anew: run one by one at first, as one launch of a graph from then on. */
interface Segment {
  runs: number
  graph?: CudaGraph
}

/** One program in the memory of a GPU. */
export class CudaProgram implements StepProgram {
  readonly isAssisted = false
  readonly #backend: CudaBackend
  readonly #plan: ProgramPlan
  readonly #arena: number
  readonly #calls: readonly BoundCall[]
  /** By first and last call. */
  readonly #segments = new Map<string, Segment>()

  constructor(backend: CudaBackend, plan: ProgramPlan) {
    this.#backend = backend
    this.#plan = plan
    this.#arena = backend.heap.allocate(plan.bytes, 'program', [plan.bytes])
    for (const [buffer, values] of plan.constants) {
      const offset = plan.offsets.get(buffer)
      if (offset !== undefined) backend.device.upload(this.#arena + offset, values)
    }
    this.#calls = plan.calls.map((call) => this.#bind(call))
  }

  get calls(): readonly RecordedCall[] {
    return this.#plan.calls
  }

  get sizeBytes(): number {
    return this.#plan.bytes
  }

  address({ buffer, offset }: Place): number {
    return buffer < 0 ? offset : this.#arena + this.#plan.offsets.get(buffer)! + offset
  }

  run(inputs: ProgramInputs): number {
    this.setInputs(inputs)
    return this.runCalls(0, this.#calls.length)
  }

  setInputs(given: ProgramInputs): void {
    for (const { values, inputs } of this.#calls) for (const [index, name] of inputs) values[index] = given[name]!
  }

  runCalls(from: number, to: number): number {
    for (let i = from; i < to; ) {
      let end = i
      while (end < to && this.#calls[end]!.inputs.length === 0) end++
      if (end > i) this.#runSegment(i, end)
      else this.#runCall(end++)
      i = end
    }
    return 0
  }

  time(inputs: ProgramInputs): number[] {
    this.setInputs(inputs)
    const { device } = this.#backend
    device.finish()
    return this.#calls.map((_, i) => {
      const start = performance.now()
      this.#runCall(i)
      device.finish()
      return performance.now() - start
    })
  }

  read(place: Place, length: number): Float32Array {
    const values = new Float32Array(length)
    this.#backend.device.download(this.address(place), values)
    return values
  }

  dispose(): void {
    for (const { graph } of this.#segments.values()) graph?.dispose()
    this.#segments.clear()
    this.#backend.heap.release(this.#arena)
  }

  #bind({ name, places, numbers, inputs, info }: RecordedCall): BoundCall {
    const { kernels } = this.#backend
    const values = kindsOf(name).map((_, i) => {
      const place = places.get(i)
      return place ? this.address(place) : (numbers.get(i) ?? this.#backend.infoPointer)
    })
    const kernel = kernels[name as keyof typeof kernels] as BoundCall['kernel']
    return { kernel, values, info, inputs: [...(inputs ?? [])] }
  }

  #runCall(index: number): void {
    const { kernel, values, info } = this.#calls[index]!
    if (info) this.#backend.heap.ints.set(info)
    kernel(...values)
  }

  /** The first run compiles what is not compiled yet, which a capture could not; the second is captured. */
  #runSegment(from: number, to: number): void {
    const { device } = this.#backend
    const run = () => {
      for (let i = from; i < to; i++) this.#runCall(i)
    }
    if (to - from === 1) {
      run()
      return
    }
    const key = `${from} ${to}`
    let segment = this.#segments.get(key)
    if (!segment) {
      segment = { runs: 0 }
      this.#segments.set(key, segment)
    }
    // In debug mode every launch is waited for, which a capture forbids.
    if (segment.runs++ === 0 || device.isDebug) run()
    else {
      segment.graph ??= device.capture(run)
      segment.graph.launch()
    }
  }
}
