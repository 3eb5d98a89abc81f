/** A ring of bytes in shared memory: one thread writes, one reads, neither blocks. @module */

const CAPACITY = 1 << 16
const HEADER_BYTES = 16

/** Bytes of memory of one ring. */
export const ringBytes = HEADER_BYTES + CAPACITY

/** One direction between two ranks. */
export class SharedRing {
  /** Bytes written and read so far, modulo 2^32. */
  readonly #counters: Int32Array
  readonly #data: Uint8Array

  constructor(memory: SharedArrayBuffer, index: number) {
    this.#counters = new Int32Array(memory, index * ringBytes, 2)
    this.#data = new Uint8Array(memory, index * ringBytes + HEADER_BYTES, CAPACITY)
  }

  /** Writes as many bytes as there is room for, and says how many. */
  write(bytes: Uint8Array): number {
    const written = Atomics.load(this.#counters, 0)
    const room = CAPACITY - ((written - Atomics.load(this.#counters, 1)) | 0)
    const count = Math.min(room, bytes.length)
    const at = written & (CAPACITY - 1)
    const first = Math.min(count, CAPACITY - at)
    this.#data.set(bytes.subarray(0, first), at)
    this.#data.set(bytes.subarray(first, count))
    // The counter moves last: the reader never sees bytes that are not there yet.
    Atomics.store(this.#counters, 0, (written + count) | 0)
    return count
  }

  /** Reads as many bytes as there are and fit, and says how many. */
  read(into: Uint8Array): number {
    const read = Atomics.load(this.#counters, 1)
    const there = (Atomics.load(this.#counters, 0) - read) | 0
    const count = Math.min(there, into.length)
    const at = read & (CAPACITY - 1)
    const first = Math.min(count, CAPACITY - at)
    into.set(this.#data.subarray(at, at + first))
    into.set(this.#data.subarray(0, count - first), first)
    Atomics.store(this.#counters, 1, (read + count) | 0)
    return count
  }
}
