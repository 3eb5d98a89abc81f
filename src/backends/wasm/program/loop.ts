/**
 * A list of kernel calls that runs many times in one call, with what changes from run to run in a table.
 * @module
 */

import type { LoopOutcome, ProgramInputs, ProgramLoop, VaryingInputs } from '../../step-program.js'
import type { KernelExports } from '../exports.js'
import { stopCodes } from '../exports.js'
import type { WasmMemory } from '../memory.js'
import type { Place, ProgramCall } from './recorder.js'
import { CallWords } from './words.js'

/** What to run. */
export interface LoopPlan {
  readonly calls: readonly ProgramCall[]
  readonly varying: VaryingInputs
  /** Runs that the table has room for. */
  readonly capacity: number
  /** Byte offset of a place. */
  addressOf(place: Place): number
}

/** One loop in the memory of a backend. */
export class WasmLoop implements ProgramLoop {
  readonly #heap: WasmMemory
  readonly #wasm: KernelExports
  readonly #words: CallWords
  readonly #varying: LoopPlan['varying']
  readonly #rowWords: number
  /** An int32 for the outcome, then pairs of a word and its place in a row, then the rows. */
  readonly #table: number
  readonly #targetCount: number

  constructor(heap: WasmMemory, wasm: KernelExports, { calls, varying, capacity, addressOf }: LoopPlan) {
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

  begin(inputs: ProgramInputs): void {
    const { ints } = this.#heap
    for (const [name, value] of Object.entries(inputs))
      for (const word of this.#words.inputs.get(name) ?? []) ints[word] = value
  }

  setRun(run: number, ints: readonly number[], floats: readonly number[]): void {
    const row = this.#rows / 4 + run * this.#rowWords
    this.#heap.ints.set(ints, row)
    this.#heap.floats.set(floats, row + this.#varying.ints.length)
  }

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

  dispose(): void {
    this.#words.dispose()
    this.#heap.release(this.#table)
  }

  get #rows(): number {
    return this.#table + 4 + this.#targetCount * 8
  }
}
