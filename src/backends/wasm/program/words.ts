/**
 * Calls as the words that assembly/program.ts reads: one for the code, one for each argument (float64: two), and tables
 * of what they point to behind the last call.
 * @module
 */

import type { WasmMemory } from '../memory.js'
import { type ArgumentKind, codeOf, kindsOf } from './call-table.js'
import type { Place, ProgramCall } from './recorder.js'

/** Calls in a memory. */
export class CallWords {
  /** Byte offset of each call, and of the end. */
  readonly starts: readonly number[]
  /** Where the words of each input are, as indices into int32 memory. */
  readonly inputs: ReadonlyMap<string, readonly number[]>
  readonly sizeBytes: number
  readonly #heap: WasmMemory
  readonly #pointer: number

  /** @param addressOf - The byte offset of a place. */
  constructor(heap: WasmMemory, calls: readonly ProgramCall[], addressOf: (place: Place) => number) {
    const tables = calls.reduce((sum, { info }) => sum + (info?.length ?? 0), 0)
    const words = calls.reduce((sum, { name }) => sum + 1 + wordCount(kindsOf(name)), 0)
    this.sizeBytes = (words + tables) * 4
    this.#heap = heap
    this.#pointer = heap.allocate(this.sizeBytes, 'program', [words + tables])
    const { ints, floats, bytes } = heap
    const view = new DataView(bytes.buffer)
    const starts: number[] = []
    const inputs = new Map<string, number[]>()
    let word = this.#pointer / 4
    let table = word + words
    for (const call of calls) {
      starts.push(word * 4)
      ints[word++] = codeOf(call.name)
      kindsOf(call.name).forEach((kind, i) => {
        const input = call.inputs?.get(i)
        if (input !== undefined) inputs.set(input, [...(inputs.get(input) ?? []), word])
        switch (kind) {
          case 'r':
          case 'w':
          case 'u':
            ints[word++] = input === undefined ? addressOf(call.places.get(i)!) : 0
            break
          case 'i':
            ints.set(call.info!, table)
            ints[word++] = table * 4
            table += call.info!.length
            break
          case 'n':
            ints[word++] = call.numbers.get(i) ?? 0
            break
          case 'f':
            floats[word++] = call.numbers.get(i) ?? 0
            break
          case 'd':
            view.setFloat64(word * 4, call.numbers.get(i) ?? 0, true)
            word += 2
            break
          default:
            kind satisfies never
        }
      })
    }
    starts.push(word * 4)
    this.starts = starts
    this.inputs = inputs
  }

  /** Gives the memory back. */
  dispose(): void {
    this.#heap.release(this.#pointer)
  }
}

const wordCount = (kinds: readonly ArgumentKind[]): number =>
  kinds.reduce((sum, kind) => sum + (kind === 'd' ? 2 : 1), 0)
