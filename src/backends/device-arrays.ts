/**
 * Copies of columns, and of the order of their rows, in the memory of dcml-wasm, where programs gather rows by
 * themselves.
 * @module
 */

import type { TypedArray } from '../core/index.js'
import { ConfigError } from '../core/index.js'
import { WasmMemory } from './wasm/memory.js'
import type { RowsContent } from './wasm/program/recorder.js'
import { activeWasmBackend, type KernelMemory } from './wasm/register.js'

/** A copy that stays where it is until it is disposed. */
export interface DeviceArray {
  /** Byte offset in the memory. */
  readonly pointer: number
  /** The numbers. A view that goes stale when a memory grows that is not shared. */
  readonly data: Float32Array | Int32Array | Uint32Array | Uint8Array
  dispose(): void
}

const classes = { float32: Float32Array, int32: Int32Array, uint32: Uint32Array, uint8: Uint8Array }

/** Puts arrays into one memory, up to a limit. */
export class DeviceArrays {
  readonly #heap: WasmMemory
  readonly #limitBytes: number
  #bytes = 0

  private constructor(heap: WasmMemory, limitBytes: number) {
    this.#heap = heap
    this.#limitBytes = limitBytes
  }

  /** In the memory of this thread's backend; undefined where that is not dcml-wasm. */
  static onBackend(limitBytes: number): DeviceArrays | undefined {
    const backend = activeWasmBackend()
    return backend && new DeviceArrays(backend.heap, limitBytes)
  }

  /** In a memory that the backends of other threads use. */
  static onKernelMemory({ memory, top }: KernelMemory, limitBytes: number): DeviceArrays {
    return new DeviceArrays(new WasmMemory(memory, 0, top), limitBytes)
  }

  /** Copies an array, converted; undefined where it would pass the limit, or the memory has no room for it. */
  place(source: TypedArray, type: RowsContent['dtype'] | 'uint32'): DeviceArray | undefined {
    const Class = classes[type]
    const bytes = source.length * Class.BYTES_PER_ELEMENT
    if (this.#bytes + bytes > this.#limitBytes) return undefined
    const pointer = this.#allocate(bytes, source.length)
    if (pointer === undefined) return undefined
    const data = new Class(this.#heap.bytes.buffer as ArrayBuffer, pointer, source.length)
    data.set(source)
    this.#bytes += bytes
    let isDisposed = false
    const dispose = () => {
      if (isDisposed) return
      isDisposed = true
      this.#bytes -= bytes
      this.#heap.release(pointer)
    }
    return { pointer, data, dispose }
  }

  #allocate(bytes: number, length: number): number | undefined {
    try {
      return this.#heap.allocate(bytes, 'column', [length])
    } catch (error) {
      if (error instanceof ConfigError) return undefined
      throw error
    }
  }
}
