/** Collectives from messages: picks an algorithm for each call. @module */

import {
  type Collectives,
  type ReduceOperation,
  type Reducible,
  type Shard,
  shareOf,
  type Transport,
} from '../transport/index.js'
import { halvingDoublingAllReduce } from './halving-doubling.js'
import { exchange } from './messages.js'
import { ringAllReduce, ringReduceScatter } from './ring.js'
import { sumShards } from './shard-sum.js'
import { treeAllReduce, treeBroadcast } from './tree.js'

/** Options of `createCollectives`. */
export interface CollectivesOptions {
  /** 'auto' takes what the transport does itself, else picks by length. @default 'auto' */
  algorithm?: 'auto' | keyof typeof allReduces
}

/** Below this many elements the number of steps decides, above it the traffic. */
const SHORT = 4096

const allReduces = {
  ring: ringAllReduce,
  tree: treeAllReduce,
  'halving-doubling': halvingDoublingAllReduce,
}

/**
 * Makes collective operations over any transport, for any world size and length.
 *
 * @example
 * const collectives = createCollectives(transport)
 * await collectives.allReduce(gradients, { op: 'mean' })
 */
export function createCollectives(transport: Transport, { algorithm = 'auto' }: CollectivesOptions = {}): Collectives {
  if (algorithm === 'auto' && transport.native) return transport.native
  return new MessageCollectives(transport, algorithm)
}

class MessageCollectives implements Collectives {
  readonly #transport: Transport
  readonly #algorithm: NonNullable<CollectivesOptions['algorithm']>
  /** The operation before: calls may overlap, their messages must not. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(transport: Transport, algorithm: NonNullable<CollectivesOptions['algorithm']>) {
    this.#transport = transport
    this.#algorithm = algorithm
  }

  allReduce(array: Reducible, { op = 'sum' }: { op?: ReduceOperation } = {}): Promise<void> {
    return this.#afterLast(async () => {
      await allReduces[this.#algorithmFor(array.length)](this.#transport, array, op)
      if (op === 'mean') divide(array, this.#transport.worldSize)
    })
  }

  allReduceShards(shards: readonly Shard[], total: number, into: Float32Array): Promise<void> {
    return this.#afterLast(() => sumShards(this.#transport, { shards, total, into }))
  }

  reduceScatter<T extends Reducible>(array: T, { op = 'sum' }: { op?: ReduceOperation } = {}): Promise<T> {
    return this.#afterLast(async () => {
      const { rank, worldSize } = this.#transport
      await ringReduceScatter(this.#transport, array, op)
      const { start, end } = shareOf(array.length, rank, worldSize)
      const own = array.subarray(start, end) as T
      if (op === 'mean') divide(own, worldSize)
      return own
    })
  }

  allGather<T extends Reducible>(array: T): Promise<T> {
    return this.#afterLast(async () => {
      const { rank, worldSize } = this.#transport
      const parts: T[] = []
      parts[rank] = array
      for (let step = 1; step < worldSize; step++) {
        const from = (rank - step + worldSize) % worldSize
        parts[from] = await exchange(this.#transport, { to: (rank + step) % worldSize, from, array })
      }
      const Class = array.constructor as new (length: number) => T
      const result = new Class(parts.reduce((sum, { length }) => sum + length, 0))
      let start = 0
      for (const part of parts) {
        result.set(part, start)
        start += part.length
      }
      return result
    })
  }

  broadcast(array: Reducible, root: number): Promise<void> {
    return this.#afterLast(() => treeBroadcast(this.#transport, array, root))
  }

  barrier(): Promise<void> {
    return this.#afterLast(() => treeAllReduce(this.#transport, new Int32Array(1), 'sum'))
  }

  #algorithmFor(length: number): keyof typeof allReduces {
    if (this.#algorithm !== 'auto') return this.#algorithm
    if (length < SHORT) return 'tree'
    const { worldSize } = this.#transport
    return Number.isInteger(Math.log2(worldSize)) ? 'halving-doubling' : 'ring'
  }

  #afterLast<T>(operation: () => Promise<T>): Promise<T> {
    const result = this.#last.then(operation)
    this.#last = result.catch(() => {})
    return result
  }
}

function divide(array: Reducible, divisor: number): void {
  for (let i = 0; i < array.length; i++) array[i]! /= divisor
}
