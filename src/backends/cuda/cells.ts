/**
 * Numbers of calls that change from run to run, in the GPU's memory: kernels read them when they run, so that a graph
 * stays as it is.
 *
 * A cell is 8 bytes: an address, an int32 or a float32. In a row: whether the course of runs has stopped (int32), the
 * number of the next run (int32), the inputs, those that vary last; then for each run of a part what these are in it.
 * @module
 */

import { StateError } from '../../core/index.js'
import type { ProgramInputs, VaryingInputs } from '../step-program.js'
import { type ArgumentKind, kindsOf } from '../wasm/program/call-table.js'
import type { ProgramCall } from '../wasm/program/recorder.js'
import type { CudaDevice } from './cuda-device.js'
import type { LateName } from './kernels/late.js'
import { lateArguments } from './kernels/late.js'

const CELL_BYTES = 8
const CELL_WORDS = CELL_BYTES / 4
/** Cells before the inputs. */
const HEAD = 2

/** The arguments of a call that its kernel finds in cells, each with the name of its cell. */
export function cellsOf({ name, inputs, numbers }: ProgramCall): (readonly [index: number, cell: string])[] {
  if (!inputs?.size) return []
  if (!(name in lateArguments)) throw new StateError(`The kernel ${name} takes no numbers anew.`)
  // What is the same in all runs, where the kernel takes a cell, is a cell of that number.
  return lateArguments[name as LateName].map((i) => [i, inputs.get(i) ?? `${numbers.get(i)}`] as const)
}

/** The cells of some calls. */
export class Cells {
  readonly #device: CudaDevice
  readonly #pointer: number
  readonly #varying: number
  /** Index of each cell, and what it holds. */
  readonly #cells = new Map<string, { at: number; kind: ArgumentKind }>()
  readonly #words: Int32Array
  readonly #floats: Float32Array
  #rows = 0

  /** @param capacity - Runs of a part, where inputs vary. */
  constructor(
    device: CudaDevice,
    calls: readonly ProgramCall[],
    varying: VaryingInputs = { ints: [], floats: [] },
    capacity = 0,
  ) {
    this.#device = device
    const names = [...varying.ints, ...varying.floats]
    this.#varying = names.length
    const kinds = new Map<string, ArgumentKind>()
    for (const call of calls.flatMap((whole): readonly ProgramCall[] => whole.parts ?? [whole]))
      for (const [i, cell] of cellsOf(call)) kinds.set(cell, kindsOf(call.name)[i]!)
    const fixed = [...kinds.keys()].filter((name) => !names.includes(name))
    for (const name of [...fixed, ...names])
      this.#cells.set(name, { at: HEAD + this.#cells.size, kind: kinds.get(name) ?? 'n' })
    const length = HEAD + this.#cells.size + capacity * names.length
    this.#pointer = device.memory.allocate(length * CELL_BYTES, 'table of inputs', [length])
    this.#words = new Int32Array(length * CELL_WORDS)
    this.#floats = new Float32Array(this.#words.buffer)
    for (const name of fixed) if (Number.isFinite(Number(name))) this.#set(name, Number(name))
  }

  /** Where a cell is. */
  address(name: string): number {
    return this.#pointer + this.#cells.get(name)!.at * CELL_BYTES
  }

  /** Where it says, in an int32, that the course of runs has stopped. */
  get stop(): number {
    return this.#pointer
  }

  /** What `takeRow` is given: the number of the next run, the cells that vary, the rows of the runs, their length. */
  get row(): [run: number, cells: number, rows: number, width: number] {
    const rows = this.#pointer + this.#firstRow * CELL_BYTES
    return [this.#pointer + CELL_BYTES, rows - this.#varying * CELL_BYTES, rows, this.#varying]
  }

  /** Sets inputs that the calls take. */
  set(inputs: ProgramInputs): void {
    for (const [name, value] of Object.entries(inputs)) if (this.#cells.has(name)) this.#set(name, value)
  }

  /** Sets what varies for a run of the next part, in the order of the names. */
  setRun(run: number, ints: readonly number[], floats: readonly number[]): void {
    this.#rows = Math.max(this.#rows, run + 1)
    let at = this.#firstRow + run * this.#varying
    for (const value of ints) this.#write(at++, value)
    for (const value of floats) this.#floats[CELL_WORDS * at++] = value
  }

  /** Copies what was set, and begins a part: the next run is the first of the rows that were set. */
  send({ isStart = true }: { isStart?: boolean } = {}): void {
    // Whether it has stopped is left alone within a course.
    const from = isStart ? 0 : 1
    const words = this.#words.subarray(from * CELL_WORDS, (this.#firstRow + this.#rows * this.#varying) * CELL_WORDS)
    this.#device.send(this.#pointer + from * CELL_BYTES, words.byteLength, (bytes) => new Int32Array(bytes).set(words))
    this.#rows = 0
  }

  dispose(): void {
    this.#device.memory.release(this.#pointer)
  }

  get #firstRow(): number {
    return HEAD + this.#cells.size
  }

  #set(name: string, value: number): void {
    const { at, kind } = this.#cells.get(name)!
    if (kind === 'f') this.#floats[at * CELL_WORDS] = value
    else this.#write(at, value)
  }

  /** A whole number, which takes both words where it is an address. */
  #write(at: number, value: number): void {
    this.#words[at * CELL_WORDS] = value
    this.#words[at * CELL_WORDS + 1] = value / 2 ** 32
  }
}
