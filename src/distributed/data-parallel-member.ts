/** A worker's side of data parallelism. @module */

import { nextTurn } from '../core/index.js'
import { divideLayout, type FlatParameters } from '../engine/index.js'
import type { BatchBuckets } from '../training/index.js'
import type { Transport } from '../transport/index.js'
import { GroupMember } from './group-member.js'

/** Adds up gradients over the workers of a group. */
export class DataParallelMember extends GroupMember {
  readonly #bucketBytes: number | undefined
  /** The buckets of this step that are under way. */
  #underWay: Promise<void>[] = []

  /** @param bucketBytes - Largest bucket that is reduced at once, while the rest is computed. */
  constructor(transport: Transport, { bucketBytes }: { bucketBytes?: number } = {}) {
    super(transport)
    this.#bucketBytes = bucketBytes
  }

  /**
   * Last layers first, as the backward pass makes them.
   *
   * @see Li et al. 2020, PyTorch Distributed, section 3.2, https://arxiv.org/abs/2006.15704
   */
  override gradientBuckets(parameters: FlatParameters): BatchBuckets | undefined {
    if (this.#bucketBytes === undefined) return undefined
    const ranges = divideLayout(parameters.layout, this.#bucketBytes / Float32Array.BYTES_PER_ELEMENT)
    return {
      ranges,
      take: async (bucket, values, { isFirst, isLast }) => {
        const { from, to } = ranges[bucket]!
        const gradients = parameters.gradients.subarray(from, to)
        if (isFirst) gradients.set(values)
        else for (let i = 0; i < values.length; i++) gradients[i]! += values[i]!
        if (!isLast) return
        this.#reduce(gradients)
        // What has come is added up, and what is to go goes, before the next bucket is computed.
        await nextTurn()
      },
    }
  }

  async synchronize(parameters: FlatParameters): Promise<Float32Array> {
    this.#reduce(this.#bucketBytes === undefined ? parameters.gradients : parameters.totals)
    const underWay = this.#underWay
    this.#underWay = []
    await Promise.all(underWay)
    return parameters.sums.read(parameters.keptGradients)
  }

  #reduce(values: Float32Array): void {
    const reduced = this.collectives.allReduce(values)
    // It is told by synchronize; the step may fail before.
    reduced.catch(() => {})
    this.#underWay.push(reduced)
  }
}
