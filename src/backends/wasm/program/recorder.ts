/**
 * Writes down the kernel calls of a step while it runs.
 *
 * Owns: which memory each pointer of a call means, what was written and read in JavaScript in between.
 * Leaves: what is made of the calls to the engine.
 * @module
 */

import type { TypedArray } from '../../../core/index.js'
import type { DataRecord } from '../../data-record.js'
import type { KernelExports } from '../exports.js'
import { type CallName, callTable, kindsOf, type ProgramCallName } from './call-table.js'

/** Where a pointer leads: into a buffer of the recording, or (buffer -1) to a byte offset in the memory. */
export interface Place {
  readonly buffer: number
  /** Bytes. */
  readonly offset: number
}

/** One call of a kernel. `places` has an entry for each pointer among the arguments, `numbers` for each other one. */
export interface RecordedCall {
  readonly name: CallName
  /** By index of the argument. */
  readonly places: ReadonlyMap<number, Place>
  readonly numbers: ReadonlyMap<number, number>
  /** Names of the arguments that are given anew at each run; what `places` and `numbers` say of them does not count. */
  readonly inputs?: ReadonlyMap<number, string>
  /** What the `i` argument points to. */
  readonly info?: Int32Array
  /** Of a joined call the calls that it stands for, in order. */
  readonly parts?: readonly RecordedCall[]
}

/** A call in a program: of a kernel that can be recorded, or of one that completes a step. */
export type ProgramCall = Omit<RecordedCall, 'name'> & { readonly name: ProgramCallName }

/** Memory that came to be during the recording. */
export interface RecordedBuffer {
  readonly bytes: number
  /** Written in JavaScript: the same at every step, or the rows of a batch. */
  content?: { constant: Uint8Array } | { rows: RowsContent }
}

/** Rows of a column, gathered in JavaScript. */
export interface RowsContent {
  /** The whole column. */
  readonly source: TypedArray
  /** Elements of a row. */
  readonly width: number
  readonly dtype: 'float32' | 'int32' | 'uint8'
}

/** A step as its calls. */
export interface Recording {
  readonly calls: readonly RecordedCall[]
  readonly buffers: readonly RecordedBuffer[]
  /** Data from before the recording that a call reads or writes through a tensor. */
  readonly outside: ReadonlySet<DataRecord>
  /** Why the step cannot be replayed. */
  readonly refusal?: string
  /** Where a tensor's data lies. */
  placeOf(pointer: number): Place
}

/** Listens to a backend. */
export class CallRecorder {
  readonly #calls: RecordedCall[] = []
  readonly #buffers: RecordedBuffer[] = []
  readonly #outside = new Set<DataRecord>()
  /** Buffers that a call has written. */
  readonly #written = new Set<number>()
  /** Start of each range that was handed out during the recording and is in use. */
  readonly #open = new Map<number, { buffer: number; bytes: number }>()
  #refusal: string | undefined

  /** The kernels, each of which notes its call before it runs. */
  wrap<Kernels extends Partial<KernelExports>>(kernels: Kernels, ints: () => Int32Array): Kernels {
    const wrapped: Record<string, unknown> = { ...kernels }
    for (const name of Object.keys(callTable) as CallName[]) {
      // Chains are made by the planner alone; not every backend has all others.
      const kernel = kernels[name as keyof Kernels] as ((...values: number[]) => number | undefined) | undefined
      if (!kernel) continue
      wrapped[name] = (...values: number[]) => {
        this.#note(name, values, ints)
        return kernel(...values)
      }
    }
    for (const name of ['sgd', 'adam', 'rmsprop', 'adagrad', 'lamb', 'runProgram'] as const)
      wrapped[name] = () => {
        throw new Error(`The kernel ${name} cannot be recorded.`)
      }
    return wrapped as unknown as Kernels
  }

  /** A range was handed out. */
  allocated(pointer: number, bytes: number): void {
    this.#open.set(pointer, { buffer: this.#buffers.length, bytes })
    this.#buffers.push({ bytes })
  }

  released(pointer: number): void {
    this.#open.delete(pointer)
  }

  /** A tensor was used that owns, or stands for, this data. */
  touched(record: DataRecord): void {
    if (this.#placeOf(record.pointer).buffer < 0) this.#outside.add(record)
  }

  /** Values were written in JavaScript to a range that was just handed out. */
  written(pointer: number, content: Uint8Array): void {
    const open = this.#open.get(pointer)
    if (open) this.#buffers[open.buffer]!.content = { constant: content.slice() }
  }

  /** Rows of a batch were gathered into a range that was just handed out. */
  gathered(pointer: number, rows: RowsContent): void {
    const open = this.#open.get(pointer)
    if (open) this.#buffers[open.buffer]!.content = { rows }
  }

  /** Something happened that a replay could not repeat. The first reason counts. */
  refuse(reason: string): void {
    this.#refusal ??= reason
  }

  finish(): Recording {
    return {
      calls: this.#calls,
      buffers: this.#buffers,
      outside: this.#outside,
      ...(this.#refusal === undefined ? {} : { refusal: this.#refusal }),
      placeOf: (pointer) => this.#placeOf(pointer),
    }
  }

  #note(name: CallName, values: readonly number[], ints: () => Int32Array): void {
    const places = new Map<number, Place>()
    const numbers = new Map<number, number>()
    let info: Int32Array | undefined
    kindsOf(name).forEach((kind, i) => {
      const value = values[i]!
      if (kind === 'i') {
        const { infoLength = 0 } = callTable[name] as { infoLength?: number }
        info = ints().slice(value / 4, value / 4 + infoLength)
      } else if (kind === 'r' || kind === 'w' || kind === 'u') {
        const place = this.#placeOf(value)
        places.set(i, place)
        if (kind !== 'w') this.#checkSource(place)
      } else numbers.set(i, value)
    })
    kindsOf(name).forEach((kind, i) => {
      if (kind === 'w' || kind === 'u') this.#written.add(places.get(i)!.buffer)
    })
    this.#calls.push(info === undefined ? { name, places, numbers } : { name, places, numbers, info })
  }

  /** Refuses what no call here has written and nobody has told of: a replay would not have it. */
  #checkSource({ buffer }: Place): void {
    if (buffer < 0 || this.#written.has(buffer)) return
    const { bytes, content } = this.#buffers[buffer]!
    if (bytes > 0 && !content) this.refuse('A tensor is computed by a kernel that cannot be recorded.')
  }

  #placeOf(pointer: number): Place {
    const exact = this.#open.get(pointer)
    if (exact) return { buffer: exact.buffer, offset: 0 }
    if (pointer !== 0)
      for (const [start, { buffer, bytes }] of this.#open)
        if (pointer > start && pointer < start + bytes) return { buffer, offset: pointer - start }
    return { buffer: -1, offset: pointer }
  }
}
