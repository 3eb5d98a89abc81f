/** The contract of collective operations. Every rank calls the same ones in the same order. @module */

/** Arrays that can be reduced. */
export type Reducible = Float32Array | Float64Array | Int32Array

/** How values are combined. */
export type ReduceOperation = 'sum' | 'mean' | 'max' | 'min'

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

/** Combines two values. A mean is a sum until the end. */
export function combine(op: ReduceOperation, a: number, b: number): number {
  switch (op) {
    case 'sum':
    case 'mean':
      return a + b
    case 'max':
      return Math.max(a, b)
    case 'min':
      return Math.min(a, b)
    default:
      return op satisfies never
  }
}

/** Operations over all ranks of a group. Each ends with the same bits on every rank, and from run to run. */
export interface Collectives {
  /** Combines the arrays of all ranks element by element, in place. A mean of int32 is cut towards 0. */
  allReduce(array: Reducible, options?: { op?: ReduceOperation }): Promise<void>
  /**
   * Adds up numbered shards in a fixed binary tree, whoever holds them: the same bits for any number of ranks.
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
  reduceScatter<T extends Reducible>(array: T, options?: { op?: ReduceOperation }): Promise<T>
  /** Puts the arrays of all ranks one after another, in rank order. Their lengths may differ. */
  allGather<T extends Reducible>(array: T): Promise<T>
  /** Copies the array of one rank to all, in place. */
  broadcast(array: Reducible, root: number): Promise<void>
  /** Returns when every rank has called it. */
  barrier(): Promise<void>
}
