/**
 * Host memory that the GPU copies to by itself, while JavaScript goes on.
 * @module
 */

import type { Koffi } from '../../core/index.js'
import { bytesOfClass, classOfSize } from '../size-classes.js'
import type { Driver } from './ffi/driver.js'

/** A range of pinned memory. */
export interface HostRange {
  readonly pointer: number
  readonly bytes: ArrayBuffer
}

/** Ranges that come back are kept for the next copy of about that size. */
export class HostMemory {
  readonly #koffi: Koffi
  readonly #driver: Driver
  readonly #free = new Map<number, HostRange[]>()
  readonly #pointers: number[] = []

  constructor(koffi: Koffi, driver: Driver) {
    this.#koffi = koffi
    this.#driver = driver
  }

  /** A range of at least so many bytes. */
  take(sizeBytes: number): HostRange {
    const sizeClass = classOfSize(sizeBytes)
    const kept = this.#free.get(sizeClass)?.pop()
    if (kept) return kept
    const bytes = bytesOfClass(sizeClass)
    const pointer = this.#driver.calls.handle('cuMemAllocHost_v2', bytes)
    this.#pointers.push(pointer)
    return { pointer, bytes: this.#koffi.view(BigInt(pointer), bytes) }
  }

  /** Gives a range back. */
  release(range: HostRange): void {
    const sizeClass = classOfSize(range.bytes.byteLength)
    const free = this.#free.get(sizeClass)
    if (free) free.push(range)
    else this.#free.set(sizeClass, [range])
  }

  /** Gives all ranges back to the driver, also those in use. */
  close(): void {
    for (const pointer of this.#pointers) this.#driver.calls.call('cuMemFreeHost', pointer)
  }
}
