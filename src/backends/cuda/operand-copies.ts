/**
 * Copies of float32 operands as bfloat16, so that an operand of several products is converted once.
 *
 * A copy stands for the elements from one pointer on, and is dropped when something writes into the range that this
 * pointer leads into: kernels name what they write (`CallForm`), and so do products, uploads and released ranges. Which
 * range that is must be known, or no copy is kept:
 *
 * - Outside of programs: a whole range of the heap. Nothing is kept of memory that JavaScript shares with the GPU, such as
 *   weights: JavaScript and collectives write there by themselves.
 * - In a program: the buffers that a call is given, whose places and lengths the program tells (`within`). Copies do not
 *   outlive a run of its calls, for the next may find other rows in the same buffers.
 * @module
 */

import type { CudaDevice } from './cuda-device.js'
import type { DeviceMemory } from './device-memory.js'
import { convert } from './kernels/bfloat16.js'

/** Addresses from `from` up to `to`, which is outside. */
export interface AddressRange {
  readonly from: number
  readonly to: number
}

interface Copy {
  readonly pointer: number
  /** Elements. */
  readonly length: number
  /** The range that the elements are part of; undefined: the copy is not kept. */
  source: AddressRange | undefined
  /** Products that are being started with it. */
  users: number
}

/** The copies on one device. */
export class OperandCopies {
  readonly #device: Pick<CudaDevice, 'launch'> & { readonly memory: DeviceMemory }
  /** By the address of the first element. */
  readonly #copies = new Map<number, Copy>()
  #ranges: readonly AddressRange[] | undefined
  #awaited: readonly number[] = []

  constructor(device: Pick<CudaDevice, 'launch'> & { readonly memory: DeviceMemory }) {
    this.#device = device
  }

  /** Whether no copy is kept. */
  get isEmpty(): boolean {
    return this.#copies.size === 0
  }

  /**
   * Lets a function start what reads copies.
   *
   * @param operands - Pointer and number of elements of each operand.
   * @param start - Gets the pointer of each copy.
   */
  use(operands: readonly (readonly [pointer: number, length: number])[], start: (...copies: number[]) => void): void {
    const taken: Copy[] = []
    try {
      for (const [pointer, length] of operands) taken.push(this.#take(pointer, length))
      start(...taken.map(({ pointer }) => pointer))
    } finally {
      for (const copy of taken) {
        copy.users--
        this.#releaseUnused(copy)
      }
    }
  }

  /**
   * Lets a function write elements and the copies of them at once.
   *
   * @param elements - Where the elements go, and how many.
   * @param start - Gets where each copy goes.
   */
  writeBeside(
    elements: readonly (readonly [pointer: number, length: number])[],
    start: (...copies: number[]) => void,
  ): void {
    const made = elements.map(([pointer, length]) => this.#allocate(pointer, length))
    // What it writes ends the copies that there were.
    start(...made.map(({ pointer }) => pointer))
    made.forEach((copy, i) => {
      copy.users--
      if (copy.source) this.#copies.set(elements[i]![0], copy)
      this.#releaseUnused(copy)
    })
  }

  /** As `writeBeside` where a later call reads the copy; else the function gets 0. */
  writeAwaited(pointer: number, length: number, start: (copy: number) => void): void {
    if (this.#awaited.includes(pointer)) this.writeBeside([[pointer, length]], (copy) => start(copy!))
    else start(0)
  }

  /** Something was written from a pointer on. */
  written(pointer: number): void {
    if (this.isEmpty) return
    const { from, to } = this.#ranges?.find(holds(pointer)) ?? { from: pointer, to: pointer + 1 }
    for (const [key, copy] of this.#copies) if (copy.source!.from < to && from < copy.source!.to) this.#drop(key, copy)
  }

  /** Drops all. */
  clear(): void {
    for (const [key, copy] of this.#copies) this.#drop(key, copy)
  }

  /** Keeps nothing from before a function to what it starts, nor from that to what comes after. */
  apart(run: () => void): void {
    this.clear()
    try {
      run()
    } finally {
      this.clear()
    }
  }

  /**
   * Runs a call of a program whose pointers lead into these ranges. Within `apart`.
   *
   * @param awaited - Where it writes what later calls read copies of.
   */
  within(ranges: readonly AddressRange[], awaited: readonly number[], run: () => void): void {
    this.#ranges = ranges
    this.#awaited = awaited
    try {
      run()
    } finally {
      this.#ranges = undefined
      this.#awaited = []
    }
  }

  #take(pointer: number, length: number): Copy {
    const kept = this.#copies.get(pointer)
    if (kept && kept.length >= length) {
      kept.users++
      return kept
    }
    if (kept) this.#drop(pointer, kept)
    const copy = this.#allocate(pointer, length)
    convert(this.#device, pointer, copy.pointer, length)
    if (copy.source) this.#copies.set(pointer, copy)
    return copy
  }

  /** A copy with one user, nothing in it yet. */
  #allocate(pointer: number, length: number): Copy {
    const to = this.#device.memory.scratch(2 * length, 'copy of an operand as bfloat16', [length])
    return { pointer: to, length, source: this.#rangeOf(pointer, 4 * length), users: 1 }
  }

  #rangeOf(pointer: number, bytes: number): AddressRange | undefined {
    const range = this.#ranges?.find(holds(pointer)) ?? this.#device.memory.rangeAt(pointer)
    return range && pointer + bytes <= range.to ? range : undefined
  }

  #drop(key: number, copy: Copy): void {
    this.#copies.delete(key)
    copy.source = undefined
    this.#releaseUnused(copy)
  }

  #releaseUnused(copy: Copy): void {
    if (copy.users === 0 && !copy.source) this.#device.memory.release(copy.pointer)
  }
}

const holds =
  (pointer: number) =>
  ({ from, to }: AddressRange): boolean =>
    from <= pointer && pointer < to
