/**
 * Hands out memory of the GPU.
 *
 * Freed ranges are kept by size class: work on the stream goes in order, so a range may be given to the next kernel
 * while the one before it still runs. A training step asks for the same sizes again and again, so after the first step
 * the driver is not asked any more.
 * @module
 */

import { ConfigError, describe } from '../../core/index.js'
import type { DeviceHeap } from '../device-backend.js'
import { bytesOfClass, classOfSize } from '../size-classes.js'
import type { MemoryListener } from '../wasm/memory.js'
import { type Driver, driverValues } from './ffi/driver.js'
import type { AddressRange } from './operand-copies.js'

/** Ints of a kernel's description of shapes. */
const INFO_LENGTH = 18

/** An allocator over the memory of one GPU. Pointers are addresses there; 0 is none. */
export class DeviceMemory implements DeviceHeap {
  readonly ints = new Int32Array(INFO_LENGTH)
  listener: MemoryListener | undefined
  /** What was made of the elements of ranges: it ends with them, or where there is no room. */
  dependents: { written(pointer: number): void; clear(): void } | undefined
  /** Bytes in ranges handed out, rounding included. */
  bytesInUse = 0
  /** Bytes taken from the driver: those in use and those kept for later. */
  bytesReserved = 0
  readonly #driver: Driver
  readonly #isExact: boolean
  /** Ranges that are kept, by their size. */
  readonly #free: KeptRanges = new Map()
  /** Those that belong to work that is captured at this moment. */
  #own: KeptRanges | undefined
  readonly #sizes = new Map<number, number>()
  /** Bytes of ranges that JavaScript sees too, by where they begin. */
  readonly #shared = new Map<number, number>()

  /**
   * @param isExact - Ranges are as long as was asked for, and none is kept: tools that look at a kernel's accesses
   *   (compute-sanitizer) see those outside of a tensor only then.
   */
  constructor(driver: Driver, isExact = false) {
    this.#driver = driver
    this.#isExact = isExact
  }

  /** @throws {ConfigError} if the GPU has no room, even after all that is kept was given back. */
  allocate(sizeBytes: number, use: string, shape: readonly number[]): number {
    const pointer = this.scratch(sizeBytes, use, shape)
    this.listener?.allocated(pointer, sizeBytes)
    return pointer
  }

  /** As `allocate`, for what a kernel needs while it runs: a recorder is told nothing of it. */
  scratch(sizeBytes: number, use: string, shape: readonly number[]): number {
    const bytes = this.#isExact ? Math.max(1, sizeBytes) : bytesOfClass(classOfSize(sizeBytes))
    let pointer = this.#own?.get(bytes)?.pop() ?? this.#free.get(bytes)?.pop()
    if (pointer === undefined) {
      const take = () => this.#take('cuMemAlloc_v2', bytes)
      pointer = take() ?? this.#takeAfterFlush(take, bytes, use, shape)
      this.#sizes.set(pointer, bytes)
    }
    this.bytesInUse += bytes
    return pointer
  }

  release(pointer: number): void {
    const bytes = this.#sizes.get(pointer)!
    this.bytesInUse -= bytes
    this.listener?.released(pointer)
    this.dependents?.written(pointer)
    if (this.#isExact) {
      this.#giveBack(pointer, bytes)
      return
    }
    keep(this.#own ?? this.#free, bytes, [pointer])
  }

  /** The range that was handed out and begins at a pointer. */
  rangeAt(pointer: number): AddressRange | undefined {
    const bytes = this.#sizes.get(pointer)
    return bytes === undefined ? undefined : { from: pointer, to: pointer + bytes }
  }

  /** The range, handed out here or shared with JavaScript, that a pointer leads into. */
  rangeAround(pointer: number): AddressRange | undefined {
    const own = this.rangeAt(pointer)
    if (own) return own
    for (const ranges of [this.#shared, this.#sizes])
      for (const [from, bytes] of ranges)
        if (from <= pointer && pointer < from + bytes) return { from, to: from + bytes }
    return undefined
  }

  /**
   * Takes a range that JavaScript sees too. None is kept for later.
   *
   * @throws {ConfigError} as `allocate`.
   */
  allocateShared(bytes: number, use: string, shape: readonly number[]): number {
    const take = () => this.#take('cuMemAllocManaged', bytes, driverValues.CU_MEM_ATTACH_GLOBAL)
    const pointer = take() ?? this.#takeAfterFlush(take, bytes, use, shape)
    this.#shared.set(pointer, bytes)
    this.bytesInUse += bytes
    return pointer
  }

  /** Gives it back to the driver. */
  releaseShared(pointer: number): void {
    const bytes = this.#shared.get(pointer)!
    this.#driver.calls.call('cuMemFree_v2', pointer)
    this.#shared.delete(pointer)
    this.bytesInUse -= bytes
    this.bytesReserved -= bytes
  }

  /**
   * Runs a function whose scratch stays its own: what it takes, from what is kept where that serves, and releases is
   * given to nobody else. If it throws, all may have the scratch at once.
   *
   * @returns What gives the scratch to all.
   */
  keepScratch(run: () => void): () => void {
    const own: KeptRanges = new Map()
    this.#own = own
    const release = () => {
      for (const [bytes, pointers] of own) keep(this.#free, bytes, pointers)
    }
    let isDone = false
    try {
      run()
      isDone = true
    } finally {
      this.#own = undefined
      if (!isDone) release()
    }
    return release
  }

  /** Gives everything that is kept back to the driver; waits for the GPU. */
  flush(): void {
    for (const [bytes, pointers] of this.#free) for (const pointer of pointers) this.#giveBack(pointer, bytes)
    this.#free.clear()
  }

  /** Gives all ranges back to the driver, also those in use and those that JavaScript sees. */
  close(): void {
    for (const ranges of [this.#sizes, this.#shared])
      for (const pointer of ranges.keys()) this.#driver.calls.call('cuMemFree_v2', pointer)
  }

  #giveBack(pointer: number, bytes: number): void {
    this.#driver.calls.call('cuMemFree_v2', pointer)
    this.#sizes.delete(pointer)
    this.bytesReserved -= bytes
  }

  /** Bytes that the driver can still give, and those that are kept for later. */
  freeBytes(): number {
    return this.#room().free + this.bytesReserved - this.bytesInUse
  }

  #room(): { free: number; total: number } {
    const [free, total] = [new BigUint64Array(1), new BigUint64Array(1)]
    this.#driver.calls.call('cuMemGetInfo_v2', free, total)
    return { free: Number(free[0]), total: Number(total[0]) }
  }

  #take(name: 'cuMemAlloc_v2' | 'cuMemAllocManaged', bytes: number, ...flags: number[]): number | undefined {
    const out = new BigUint64Array(1)
    const code = this.#driver.calls.function(name)(out, bytes, ...flags) as number
    if (code === driverValues.CUDA_ERROR_OUT_OF_MEMORY) return undefined
    if (code !== 0) throw this.#driver.error(name, code)
    this.bytesReserved += bytes
    return Number(out[0])
  }

  #takeAfterFlush(take: () => number | undefined, bytes: number, use: string, shape: readonly number[]): number {
    const kept = this.bytesReserved - this.bytesInUse
    // Those of work that is being captured are in use by it.
    if (!this.#own) this.dependents?.clear()
    this.flush()
    const pointer = take()
    if (pointer !== undefined) return pointer
    const { free, total } = this.#room()
    throw new ConfigError(`The GPU has no memory left for a ${use} of shape ${describe(shape)}.`, {
      expected: `${megabytes(bytes)} in a row`,
      received:
        `${megabytes(free)} free of ${megabytes(total)}; tensors of this process hold ` +
        `${megabytes(this.bytesInUse)}, and ${megabytes(kept)} kept for later were given back already`,
      remedy:
        'Use a smaller batchSize or model, dispose tensors that are no longer needed, or end other processes on this GPU',
    })
  }
}

/** Free ranges by their bytes. */
type KeptRanges = Map<number, number[]>

function keep(ranges: KeptRanges, bytes: number, pointers: readonly number[]): void {
  const kept = ranges.get(bytes)
  if (kept) kept.push(...pointers)
  else ranges.set(bytes, [...pointers])
}

const megabytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`
