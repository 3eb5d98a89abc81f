/**
 * Hands out ranges of a WebAssembly memory.
 *
 * Sizes are rounded up to classes, four to each power of two; a freed range goes to the list of its class and the next
 * request of that class takes it from there. A training step asks for the same sizes again and again, so after the
 * first step nothing is searched and the memory stays as large as it is.
 * @module
 */

import { ConfigError, describe } from '../../core/index.js'
import { bytesOfClass, CLASS_BYTES, classOfSize } from '../size-classes.js'

const PAGE_BYTES = 65536
/** What 32-bit pointers can reach. */
const MAX_BYTES = 2 ** 32

/** Who wants to know what is handed out and taken back. */
export interface MemoryListener {
  allocated(pointer: number, sizeBytes: number): void
  released(pointer: number): void
}

/** An allocator over one WebAssembly memory. Pointers are byte offsets, 64-byte aligned, 0 <= pointer < 2^32. */
export class WasmMemory {
  /** Bytes in ranges handed out, rounding included. */
  bytesInUse = 0
  listener: MemoryListener | undefined
  readonly #memory: WebAssembly.Memory
  readonly #free: number[][] = []
  /** The class of each range that is handed out or free. */
  readonly #classOf = new Map<number, number>()
  /** Everything from here on was never handed out; not used when threads share the memory. */
  #top: number
  /** The same for all threads that share the memory, in units of 64 bytes. */
  readonly #sharedTop: Int32Array | undefined
  #bytes: Uint8Array
  #floats: Float32Array
  #ints: Int32Array

  /**
   * @param memory - The memory, shared or not.
   * @param base - The first byte that the module itself does not use.
   * @param sharedTop - Where the allocators of all threads on this memory agree which bytes were never handed out.
   */
  constructor(memory: WebAssembly.Memory, base: number, sharedTop?: SharedArrayBuffer) {
    this.#memory = memory
    this.#sharedTop = sharedTop && new Int32Array(sharedTop)
    this.#top = Math.ceil(base / CLASS_BYTES) * CLASS_BYTES
    this.#bytes = new Uint8Array(memory.buffer)
    this.#floats = new Float32Array(memory.buffer)
    this.#ints = new Int32Array(memory.buffer)
  }

  /** The whole memory as bytes; valid until the next allocation. */
  get bytes(): Uint8Array {
    if (this.#bytes.buffer !== this.#memory.buffer) this.#refresh()
    return this.#bytes
  }

  /** The whole memory as float32; index = pointer / 4. Valid until the next allocation. */
  get floats(): Float32Array {
    if (this.#floats.buffer !== this.#memory.buffer) this.#refresh()
    return this.#floats
  }

  /** The whole memory as int32; index = pointer / 4. Valid until the next allocation. */
  get ints(): Int32Array {
    if (this.#ints.buffer !== this.#memory.buffer) this.#refresh()
    return this.#ints
  }

  /** Size of the memory in bytes. */
  get capacityBytes(): number {
    return this.#memory.buffer.byteLength
  }

  /**
   * Takes a range; its bytes are whatever was there before.
   *
   * @param sizeBytes - 0 or more.
   * @param use - What it is for, such as 'float32 tensor', and of which shape: for the error alone.
   * @throws {ConfigError} if the memory cannot grow that far.
   */
  allocate(sizeBytes: number, use: string, shape: readonly number[]): number {
    const sizeClass = classOfSize(sizeBytes)
    const free = this.#free[sizeClass]
    const rounded = bytesOfClass(sizeClass)
    let pointer: number
    if (free !== undefined && free.length > 0) pointer = free.pop()!
    else {
      pointer = this.#extend(rounded, use, shape)
      this.#classOf.set(pointer, sizeClass)
    }
    this.bytesInUse += rounded
    this.listener?.allocated(pointer, sizeBytes)
    return pointer
  }

  /** Gives a range back. */
  release(pointer: number): void {
    const sizeClass = this.#classOf.get(pointer)!
    this.bytesInUse -= bytesOfClass(sizeClass)
    this.listener?.released(pointer)
    let free = this.#free[sizeClass]
    if (free === undefined) {
      free = []
      this.#free[sizeClass] = free
    }
    free.push(pointer)
  }

  #extend(rounded: number, use: string, shape: readonly number[]): number {
    // Each thread takes its own part of what none has had.
    if (this.#sharedTop) this.#top = Atomics.add(this.#sharedTop, 0, rounded / CLASS_BYTES) * CLASS_BYTES
    if (!this.#reach(this.#top + rounded)) {
      const pointer = this.#takeLarger(rounded)
      if (pointer !== undefined) return pointer
      throw new ConfigError(`The wasm backend has no memory left for a ${use} of shape ${describe(shape)}.`, {
        expected: `${rounded} free bytes in a row`,
        received: `${this.bytesInUse} of ${this.capacityBytes} bytes in use`,
        remedy: 'Use a smaller batchSize or model, or dispose tensors that are no longer needed',
      })
    }
    const pointer = this.#top
    this.#top += rounded
    return pointer
  }

  /** Makes the memory at least so large; false if that is impossible. */
  #reach(end: number): boolean {
    if (end <= this.capacityBytes) return true
    // Another thread may have let it grow, which this one learns by asking.
    if (this.#sharedTop) this.#memory.grow(0)
    const capacity = this.capacityBytes
    if (end <= capacity) return true
    if (end > MAX_BYTES) return false
    // Growing in steps of an eighth keeps the number of times that views go stale small.
    const generous = Math.min(MAX_BYTES, Math.max(end, capacity + (capacity >>> 3)))
    for (const target of [generous, end]) {
      try {
        this.#memory.grow(Math.ceil((target - capacity) / PAGE_BYTES))
        this.#refresh()
        return true
      } catch {
        // The maximum of the memory lies below: the exact size may still fit.
      }
    }
    return false
  }

  /** Joins free neighbours, whatever their classes, and cuts the request out of the first run that is long enough. */
  #takeLarger(rounded: number): number | undefined {
    const ranges = this.#free.flatMap((list, sizeClass) =>
      (list ?? []).map((pointer) => ({ pointer, end: pointer + bytesOfClass(sizeClass) })),
    )
    ranges.sort((a, b) => a.pointer - b.pointer)
    const runs: { pointer: number; end: number }[] = []
    for (const range of ranges) {
      const last = runs.at(-1)
      if (last !== undefined && last.end === range.pointer) last.end = range.end
      else runs.push({ ...range })
    }
    const last = runs.at(-1)
    const reclaimed = !this.#sharedTop && last !== undefined && last.end === this.#top
    const fits = (run: { pointer: number; end: number }) => run.end - run.pointer >= rounded
    const open = reclaimed ? runs.slice(0, -1) : runs
    const chosen = open.find(fits)
    if (chosen === undefined && !(reclaimed && this.#reach(last.pointer + rounded))) return undefined
    // From here on the old division of the free ranges is void.
    for (const { pointer } of ranges) this.#classOf.delete(pointer)
    this.#free.length = 0
    if (reclaimed) this.#top = last.pointer
    for (const run of open) this.#divide(run === chosen ? run.pointer + rounded : run.pointer, run.end)
    if (chosen !== undefined) return chosen.pointer
    const pointer = this.#top
    this.#top += rounded
    return pointer
  }

  /** Cuts a free run into ranges of whole classes, the largest first. */
  #divide(start: number, end: number): void {
    for (let pointer = start; pointer < end; ) {
      let sizeClass = classOfSize(end - pointer)
      if (bytesOfClass(sizeClass) > end - pointer) sizeClass--
      this.#classOf.set(pointer, sizeClass)
      let free = this.#free[sizeClass]
      if (free === undefined) {
        free = []
        this.#free[sizeClass] = free
      }
      free.push(pointer)
      pointer += bytesOfClass(sizeClass)
    }
  }

  #refresh(): void {
    const { buffer } = this.#memory
    this.#bytes = new Uint8Array(buffer)
    this.#floats = new Float32Array(buffer)
    this.#ints = new Int32Array(buffer)
  }
}
