/**
 * Copies to the GPU that nobody waits for.
 *
 * What is copied lies in pinned memory, which the GPU reads by itself: a copy from anywhere else may wait for all work
 * before it.
 * @module
 */

import { bytesOfClass, classOfSize } from '../size-classes.js'
import { type Driver, driverValues } from './ffi/driver.js'
import type { HostMemory, HostRange } from './host-memory.js'

/** Ranges of a size that are on their way at once; then the oldest is waited for. */
const MOST_UNDER_WAY = 4

/** A range, and the event that says that the GPU has read it. */
interface SentRange {
  readonly range: HostRange
  readonly event: number
}

/** Uploads on one stream. */
export class Uploads {
  readonly #driver: Driver
  readonly #host: HostMemory
  readonly #stream: number
  /** By size class, the oldest first. */
  readonly #sent = new Map<number, SentRange[]>()

  constructor(driver: Driver, host: HostMemory, stream: number) {
    this.#driver = driver
    this.#host = host
    this.#stream = stream
  }

  /**
   * Copies what a function writes, in the order of the stream.
   *
   * @param write - Is given at least so many bytes, with anything in them.
   */
  send(pointer: number, sizeBytes: number, write: (bytes: ArrayBuffer) => void): void {
    if (sizeBytes === 0) return
    const { calls } = this.#driver
    const sizeClass = classOfSize(sizeBytes)
    const sent = this.#sent.get(sizeClass) ?? []
    this.#sent.set(sizeClass, sent)
    const next = this.#free(sent) ?? this.#add(sizeClass)
    write(next.range.bytes)
    calls.call('cuMemcpyHtoDAsync_v2', pointer, BigInt(next.range.pointer), sizeBytes, this.#stream)
    calls.call('cuEventRecord', next.event, this.#stream)
    sent.push(next)
  }

  /** Gives up the events; the ranges are the host memory's. */
  close(): void {
    for (const { event } of [...this.#sent.values()].flat()) this.#driver.calls.call('cuEventDestroy_v2', event)
    this.#sent.clear()
  }

  /** The oldest range, if the GPU has read it, or has to now. */
  #free(sent: SentRange[]): SentRange | undefined {
    const [oldest] = sent
    if (!oldest) return undefined
    const { calls } = this.#driver
    if (sent.length >= MOST_UNDER_WAY) calls.call('cuEventSynchronize', oldest.event)
    else {
      const code = calls.function('cuEventQuery')(oldest.event) as number
      if (code === driverValues.CUDA_ERROR_NOT_READY) return undefined
      if (code !== 0) throw this.#driver.error('A kernel before cuEventQuery', code)
    }
    return sent.shift()
  }

  #add(sizeClass: number): SentRange {
    const range = this.#host.take(bytesOfClass(sizeClass))
    return { range, event: this.#driver.calls.handle('cuEventCreate', driverValues.CU_EVENT_DISABLE_TIMING) }
  }
}
