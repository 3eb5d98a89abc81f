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

/** Operations over all ranks of a group. Each ends with the same bits on every rank, and from run to run. */
export interface Collectives {
  /** Combines the arrays of all ranks element by element, in place. */
  allReduce(array: Reducible, options?: { op?: ReduceOperation }): Promise<void>
  /**
   * Adds up numbered shards in a fixed binary tree, whoever holds them: the same bits for any number of ranks.
   *
   * @param shards - Those that this rank holds.
   * @param total - Number of shards of all ranks together.
   * @param into - Receives the sum.
   */
  allReduceShards(shards: readonly Shard[], total: number, into: Float32Array): Promise<void>
  /** Copies the array of one rank to all, in place. */
  broadcast(array: Reducible, root: number): Promise<void>
  /** Returns when every rank has called it. */
  barrier(): Promise<void>
}
