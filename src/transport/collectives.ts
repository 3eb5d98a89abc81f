/** The contract of collective operations. Every rank calls the same ones in the same order. @module */

/** Arrays that can be reduced. */
export type Reducible = Float32Array | Float64Array | Int32Array

/** How values are combined. */
export type ReduceOperation = 'sum' | 'mean' | 'max' | 'min'

/** How float32 values travel: as they are, or rounded to half of their bytes. */
export type WireFormat = 'float32' | 'float16' | 'bfloat16'

/** Options of a reduction. */
export interface ReduceOptions {
  /** @default 'sum' */
  op?: ReduceOperation
  /**
   * The least that float32 values are rounded to on their way: once as each rank sends them, once as the result
   * returns; they are combined in float32. What a transport does itself may send all of their bits. Arrays of another
   * class take 'float32' alone, and are never rounded.
   * @default 'float32'
   */
  wire?: WireFormat
}

/** What one logical shard adds to a deterministic sum. */
export interface Shard {
  shard: number
  values: Float32Array
}

/** The range of `length` elements that belongs to one of `parts`: consecutive, the first parts taking the rest. */
export function shareOf(length: number, part: number, parts: number): { start: number; end: number } {
  const size = Math.floor(length / parts)
  const rest = length % parts
  const start = part * size + Math.min(part, rest)
  return { start, end: start + size + (part < rest ? 1 : 0) }
}

/**
 * Operations over all ranks of a group. Each ends with the same bits on every rank, and from run to run.
 *
 * A call need not be awaited before the next: calls are carried out one after another, in the order in which they were
 * made, which must be the same on every rank. Arrays belong to the operation until its promise is settled.
 */
export interface Collectives {
  /** Combines the arrays of all ranks element by element, in place. A mean of int32 is cut towards 0. */
  allReduce(array: Reducible, options?: ReduceOptions): Promise<void>
  /**
   * Adds up numbered shards in a fixed binary tree, whoever holds them: the same bits for any number of ranks and over
   * any transport.
   *
   * @param shards - Those that this rank holds: `shareOf(total, rank, worldSize)`, in order.
   * @param total - Number of shards of all ranks together.
   * @param into - Receives the sum.
   */
  allReduceShards(shards: readonly Shard[], total: number, into: Float32Array): Promise<void>
  /**
   * Combines the arrays of all ranks, and leaves each rank its share.
   *
   * @param array - One length on all ranks. What is outside the share is overwritten with anything.
   * @returns A view of `array`: `shareOf(array.length, rank, worldSize)`.
   */
  reduceScatter<T extends Reducible>(array: T, options?: ReduceOptions): Promise<T>
  /**
   * Puts the arrays of all ranks one after another, in rank order. Their lengths may differ.
   *
   * @param options.into - Receives the result and must have its length. `array` may be a view of its own place there,
   *   as after `reduceScatter`. @default a new array
   */
  allGather<T extends Reducible>(array: T, options?: { into?: T }): Promise<T>
  /** Copies the array of one rank to all, in place. */
  broadcast(array: Reducible, root: number): Promise<void>
  /**
   * Sends every rank something else.
   *
   * @param parts - One array per rank, in rank order, of any lengths; the classes of all ranks' arrays are the same.
   * @returns What each rank had for this one, in rank order. The caller owns it.
   */
  allToAll<T extends Reducible>(parts: readonly T[]): Promise<T[]>
  /** Returns when every rank has called it. */
  barrier(): Promise<void>
  /** Adds up before it returns, blocking the thread: only where ranks may wait for each other so. */
  allReduceNow?(array: Reducible, options?: ReduceOptions): void
}
