/**
 * A list of kernel calls that runs many times in one call, with what changes from run to run in a table.
 * @module
 */

import type { KernelExports } from '../exports.js'
import { stopCodes } from '../exports.js'
import type { WasmMemory } from '../memory.js'
import type { Place, ProgramCall } from './recorder.js'
import { CallWords } from './words.js'

/** What to run. */
export interface LoopPlan {
  readonly calls: readonly ProgramCall[]
  /** Names of the inputs that change from run to run: whole numbers and byte offsets, then float32. */
  readonly varying: { readonly ints: readonly string[]; readonly floats: readonly string[] }
  /** Runs that the table has room for. */
  readonly capacity: number
  /** Byte offset of a place. */
  addressOf(place: Place): number
}

/** How a loop ended. */
export interface LoopOutcome {
  /** Complete runs. */
  readonly runs: number
  /** Why the next one is not complete, if it was begun; 'fault': an index lay outside its range. */
  readonly stop?: keyof typeof stopCodes | 'fault'
}

/** One loop in the memory of a backend. */
export class ProgramLoop {
  readonly capacity: number
  readonly #heap: WasmMemory
  readonly #wasm: KernelExports
  readonly #words: CallWords
  readonly #varying: LoopPlan['varying']
  readonly #rowWords: number
  /** An int32 for the outcome, then pairs of a word and its place in a row, then the rows. */
  readonly #table: number
  readonly #targetCount: number

  constructor(heap: WasmMemory, wasm: KernelExports, { calls, varying, capacity, addressOf }: LoopPlan) {
    this.capacity = capacity
    this.#heap = heap
    this.#wasm = wasm
    this.#varying = varying
    this.#words = new CallWords(heap, calls, addressOf)
    const names = [...varying.ints, ...varying.floats]
    this.#rowWords = names.length
    const targets = names.flatMap((name, column) =>
      (this.#words.inputs.get(name) ?? []).flatMap((word) => [word * 4, column * 4]),
    )
    this.#targetCount = targets.length / 2
    const words = 1 + targets.length + capacity * this.#rowWords
    this.#table = heap.allocate(words * 4, 'loop', [words])
    heap.ints.set(targets, this.#table / 4 + 1)
  }

  /** Sets inputs that do not change from run to run. */
  set(inputs: Readonly<Record<string, number>>): void {
    const { ints } = this.#heap
    for (const [name, value] of Object.entries(inputs))
      for (const word of this.#words.inputs.get(name) ?? []) ints[word] = value
  }

  /** Sets what does for one run, in the order of their names. */
  setRun(run: number, ints: readonly number[], floats: readonly number[]): void {
    const row = this.#rows / 4 + run * this.#rowWords
    this.#heap.ints.set(ints, row)
    this.#heap.floats.set(floats, row + this.#varying.ints.length)
  }

  /** Runs so many times, or until a call says that it is enough. */
  run(count: number): LoopOutcome {
    const { starts } = this.#words
    const runs = this.#wasm.runLoop(
      starts[0]!,
      starts.at(-1)!,
      this.#table + 4,
      this.#targetCount,
      this.#rows,
      this.#rowWords * 4,
      count,
      this.#table,
    )
    const code = this.#heap.ints[this.#table / 4]!
    if (code === 0) return { runs }
    const stops = Object.keys(stopCodes) as (keyof typeof stopCodes)[]
    return { runs, stop: stops.find((stop) => stopCodes[stop] === code) ?? 'fault' }
  }

  /** Gives the memory back. */
  dispose(): void {
    this.#words.dispose()
    this.#heap.release(this.#table)
  }

  get #rows(): number {
    return this.#table + 4 + this.#targetCount * 8
  }
}
