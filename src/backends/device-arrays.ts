/**
 * Copies of columns, and of the order of their rows, in the memory of one of dcml's own backends, where programs gather
 * rows by themselves.
 * @module
 */

import type { TypedArray } from '../core/index.js'
import { ConfigError } from '../core/index.js'
import { activeDeviceBackend } from './device-backend.js'
import { WasmMemory } from './wasm/memory.js'
import type { RowsContent } from './wasm/program/recorder.js'
import type { KernelMemory } from './wasm/register.js'

/** In what form numbers are copied. */
type ArrayType = RowsContent['dtype'] | 'uint32'

/** A copy that stays where it is until it is disposed. */
export interface DeviceArray {
  /** Where it lies in the memory. */
  readonly pointer: number
  /** The numbers, where JavaScript sees that memory: of a memory that several threads share. */
  readonly data?: Float32Array | Int32Array | Uint32Array | Uint8Array
  dispose(): void
}

/** A memory that arrays are copied to. */
interface ArrayMemory {
  /** @throws {ConfigError} if there is no room. */
  allocate(sizeBytes: number, use: string, shape: readonly number[]): number
  release(pointer: number): void
  /** Writes the numbers, converted. Returns a view of them, if there is one. */
  write(pointer: number, source: TypedArray, type: ArrayType): DeviceArray['data']
}

const classes = { float32: Float32Array, int32: Int32Array, uint32: Uint32Array, uint8: Uint8Array }

/** Puts arrays into one memory, up to a limit. */
export class DeviceArrays {
  readonly #memory: ArrayMemory
  readonly #limitBytes: number
  #bytes = 0

  private constructor(memory: ArrayMemory, limitBytes: number) {
    this.#memory = memory
    this.#limitBytes = limitBytes
  }

  /** In the memory of this thread's backend, by default as much as that allows; undefined where it is none of dcml's own. */
  static onBackend(limitBytes?: number): DeviceArrays | undefined {
    const backend = activeDeviceBackend()
    if (!backend) return undefined
    const { heap, columnBytes } = backend
    const memory: ArrayMemory = {
      allocate: (...request) => heap.allocate(...request),
      release: (pointer) => heap.release(pointer),
      write(pointer, source, type) {
        const Class = classes[type]
        const { buffer, byteOffset, byteLength } = source instanceof Class ? source : Class.from(source)
        // Bytes as they are: those of uint32 too.
        backend.place(pointer, new Uint8Array(buffer, byteOffset, byteLength))
        return undefined
      },
    }
    return new DeviceArrays(memory, limitBytes ?? columnBytes)
  }

  /** In a memory that the backends of other threads use. */
  static onKernelMemory({ memory, top }: KernelMemory, limitBytes: number): DeviceArrays {
    const heap = new WasmMemory(memory, 0, top)
    const shared: ArrayMemory = {
      allocate: (...request) => heap.allocate(...request),
      release: (pointer) => heap.release(pointer),
      write(pointer, source, type) {
        const data = new classes[type](heap.bytes.buffer as ArrayBuffer, pointer, source.length)
        data.set(source)
        return data
      },
    }
    return new DeviceArrays(shared, limitBytes)
  }

  /** Copies an array, converted; undefined where it would pass the limit, or the memory has no room for it. */
  place(source: TypedArray, type: ArrayType): DeviceArray | undefined {
    const bytes = source.length * classes[type].BYTES_PER_ELEMENT
    if (this.#bytes + bytes > this.#limitBytes) return undefined
    const pointer = this.#allocate(bytes, source.length)
    if (pointer === undefined) return undefined
    const data = this.#memory.write(pointer, source, type)
    this.#bytes += bytes
    let isDisposed = false
    const dispose = () => {
      if (isDisposed) return
      isDisposed = true
      this.#bytes -= bytes
      this.#memory.release(pointer)
    }
    return { pointer, ...(data && { data }), dispose }
  }

  #allocate(bytes: number, length: number): number | undefined {
    try {
      return this.#memory.allocate(bytes, 'column', [length])
    } catch (error) {
      if (error instanceof ConfigError) return undefined
      throw error
    }
  }
}
