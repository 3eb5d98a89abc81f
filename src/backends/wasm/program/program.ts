/**
 * A list of kernel calls in the form that the module runs by itself.
 *
 * Owns: one range of memory for all that the calls compute, and when their inputs are set.
 * Leaves: which calls, and where each buffer lies in that range, to whoever planned it; their form to words.ts.
 * @module
 */

import type { ProductArguments } from '../../assist/blas-assist.js'
import type { ProgramInputs, ProgramPlan, ProgramResult, StepProgram, VaryingInputs } from '../../step-program.js'
import type { KernelExports } from '../exports.js'
import type { DcmlWasmBackend } from '../wasm-backend.js'
import { kindsOf } from './call-table.js'
import { WasmLoop } from './loop.js'
import type { Place, ProgramCall, RecordedCall } from './recorder.js'
import { CallWords } from './words.js'

/** One program in the memory of a backend. */
export class WasmProgram implements StepProgram {
  readonly #backend: DcmlWasmBackend
  readonly #wasm: KernelExports
  readonly #plan: ProgramPlan
  readonly #arena: number
  readonly #words: CallWords
  /** Products that a native library computes: the others run in one go up to the next of these. */
  readonly #assisted: { call: number; product: ProductArguments }[] = []

  /** Its large products run in the native library that helps the backend at this moment, if any. */
  constructor(backend: DcmlWasmBackend, plan: ProgramPlan) {
    this.#backend = backend
    this.#wasm = backend.kernels
    this.#plan = plan
    this.#arena = backend.heap.allocate(plan.bytes, 'program', [plan.bytes])
    this.#words = new CallWords(backend.heap, plan.calls, (place) => this.address(place))
    for (const [buffer, values] of plan.constants) {
      const offset = plan.offsets.get(buffer)
      if (offset !== undefined) backend.heap.bytes.set(values, this.#arena + offset)
    }
    this.#findAssisted()
  }

  /** What the program runs, in order. */
  get calls(): readonly RecordedCall[] {
    return this.#plan.calls
  }

  /** Bytes that the program holds: buffers, words and tables. */
  get sizeBytes(): number {
    return this.#plan.bytes + this.#words.sizeBytes
  }

  /** Byte offset in the memory. */
  address({ buffer, offset }: Place): number {
    return buffer < 0 ? offset : this.#arena + this.#plan.offsets.get(buffer)! + offset
  }

  /**
   * Runs all calls.
   *
   * @returns How many indices of gathered rows lay outside their range.
   */
  run(inputs: ProgramInputs): number {
    this.setInputs(inputs)
    return this.runCalls(0, this.#plan.calls.length)
  }

  /** Runs the calls one by one and tells the milliseconds of each, in order. */
  time(inputs: ProgramInputs): number[] {
    this.setInputs(inputs)
    return this.#plan.calls.map((_, i) => {
      const start = performance.now()
      this.runCalls(i, i + 1)
      return performance.now() - start
    })
  }

  /** Whether a native library computes a part of it. */
  get isAssisted(): boolean {
    return this.#assisted.length > 0
  }

  async read(results: readonly ProgramResult[]): Promise<Float32Array[]> {
    const { floats } = this.#backend.heap
    return results.map(({ place, length }) => {
      const start = this.address(place) / 4
      return floats.subarray(start, start + length)
    })
  }

  /** A loop over other calls on the same buffers. */
  loop(calls: readonly ProgramCall[], varying: VaryingInputs, capacity: number): WasmLoop {
    const addressOf = (place: Place) => this.address(place)
    return new WasmLoop(this.#backend.heap, this.#wasm, { calls, varying, capacity, addressOf })
  }

  /** Gives the memory back. */
  dispose(): void {
    this.#backend.heap.release(this.#arena)
    this.#words.dispose()
  }

  /** Says what the next calls run on. */
  setInputs(values: ProgramInputs): void {
    const { ints } = this.#backend.heap
    for (const [name, words] of this.#words.inputs) for (const word of words) ints[word] = values[name]!
  }

  /** Runs some of the calls. @returns As `run`. */
  runCalls(from: number, to: number): number {
    const wasm = this.#wasm
    const { starts } = this.#words
    let faults = 0
    let next = from
    for (const { call, product } of this.#assisted) {
      if (call < from || call >= to) continue
      if (call > next) faults += wasm.runProgram(starts[next]!, starts[call]!)
      wasm.matMul(...product)
      next = call + 1
    }
    if (to > next) faults += wasm.runProgram(starts[next]!, starts[to]!)
    return faults
  }

  #findAssisted(): void {
    const { assist } = this.#backend
    if (!assist) return
    this.#plan.calls.forEach(({ name, places, numbers }, call) => {
      if (name !== 'matMul') return
      const product = kindsOf(name).map((_, i) => {
        const place = places.get(i)
        return place ? this.address(place) : numbers.get(i)!
      }) as ProductArguments
      if (assist.takes(product)) this.#assisted.push({ call, product })
    })
  }
}
