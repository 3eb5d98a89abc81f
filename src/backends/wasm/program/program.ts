/**
 * A list of kernel calls in the form that the module runs by itself.
 *
 * Owns: the words of the calls, and one range of memory for all that they compute.
 * Leaves: which calls, and where each buffer lies in that range, to whoever planned it.
 * @module
 */

import type { ProductArguments } from '../../assist/blas-assist.js'
import type { KernelExports } from '../exports.js'
import type { DcmlWasmBackend } from '../wasm-backend.js'
import { type ArgumentKind, callTable, kindsOf } from './call-table.js'
import type { Place, RecordedCall } from './recorder.js'

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

/** One program in the memory of a backend. */
export class WasmProgram {
  /** Bytes that the program holds: buffers, words and tables. */
  readonly sizeBytes: number
  readonly #backend: DcmlWasmBackend
  readonly #wasm: KernelExports
  readonly #plan: ProgramPlan
  readonly #arena: number
  readonly #words: number
  /** First byte of each call, and the end. */
  readonly #starts: number[] = []
  /** Products that a native library computes: the others run in one go up to the next of these. */
  readonly #assisted: { call: number; product: ProductArguments }[] = []
  /** Indices into int32 memory of the words that hold the step's number, and the first row's. */
  readonly #stepWords: number[] = []
  readonly #rowWords: number[] = []

  /** Its large products run in the native library that helps the backend at this moment, if any. */
  constructor(backend: DcmlWasmBackend, plan: ProgramPlan) {
    this.#backend = backend
    this.#wasm = backend.wasm
    this.#plan = plan
    const tables = plan.calls.reduce((sum, { info }) => sum + (info?.length ?? 0), 0)
    const words = plan.calls.reduce((sum, { name }) => sum + 1 + wordCount(kindsOf(name)), 0)
    this.#arena = backend.heap.allocate(plan.bytes, 'program', [plan.bytes])
    this.#words = backend.heap.allocate((words + tables) * 4, 'program', [words + tables])
    this.sizeBytes = plan.bytes + (words + tables) * 4
    for (const [buffer, values] of plan.constants) {
      const offset = plan.offsets.get(buffer)
      if (offset !== undefined) backend.heap.bytes.set(values, this.#arena + offset)
    }
    this.#write(words)
    this.#findAssisted()
  }

  /** What the program runs, in order. */
  get calls(): readonly RecordedCall[] {
    return this.#plan.calls
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
  run(step: number, firstRow: number): number {
    this.#setInputs(step, firstRow)
    return this.#runCalls(0, this.#plan.calls.length)
  }

  /** Runs the calls one by one and tells the milliseconds of each, in order. */
  time(step: number, firstRow: number): number[] {
    this.#setInputs(step, firstRow)
    return this.#plan.calls.map((_, i) => {
      const start = performance.now()
      this.#runCalls(i, i + 1)
      return performance.now() - start
    })
  }

  /** Gives the memory back. */
  dispose(): void {
    this.#backend.heap.release(this.#arena)
    this.#backend.heap.release(this.#words)
  }

  #runCalls(from: number, to: number): number {
    const wasm = this.#wasm
    const starts = this.#starts
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

  #setInputs(step: number, firstRow: number): void {
    const { ints } = this.#backend.heap
    for (const word of this.#stepWords) ints[word] = step
    for (const word of this.#rowWords) ints[word] = firstRow
  }

  #write(tableStart: number): void {
    const { ints, bytes } = this.#backend.heap
    const floats = this.#backend.heap.floats
    const view = new DataView(bytes.buffer)
    let word = this.#words / 4
    let table = this.#words / 4 + tableStart
    for (const { name, places, numbers, info } of this.#plan.calls) {
      this.#starts.push(word * 4)
      ints[word++] = callTable[name].code
      kindsOf(name).forEach((kind, i) => {
        const value = numbers.get(i) ?? 0
        switch (kind) {
          case 'r':
          case 'w':
          case 'u':
            ints[word++] = this.address(places.get(i)!)
            break
          case 'i':
            ints.set(info!, table)
            ints[word++] = table * 4
            table += info!.length
            break
          case 'f':
            floats[word++] = value
            break
          case 'd':
            view.setFloat64(word * 4, value, true)
            word += 2
            break
          case 's':
            // A number that is not the step's stays as it is.
            if (Number.isNaN(value)) this.#stepWords.push(word)
            ints[word++] = value
            break
          case 'o':
            if (Number.isNaN(value)) this.#rowWords.push(word)
            ints[word++] = value
            break
          case 'n':
            ints[word++] = value
            break
          default:
            kind satisfies never
        }
      })
    }
    this.#starts.push(word * 4)
  }
}

const wordCount = (kinds: readonly ArgumentKind[]): number =>
  kinds.reduce((sum, kind) => sum + (kind === 'd' ? 2 : 1), 0)
