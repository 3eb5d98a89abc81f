/** A worker's side of data parallelism. @module */

import type { FlatParameters } from '../engine/index.js'
import type { Transport } from '../transport/index.js'
import { Member } from './member.js'

/** Adds up gradients over the workers of a group. */
export class DataParallelMember extends Member {
  readonly #bucketLength: number

  /** @param bucketBytes - Largest piece of the gradients that is reduced at once. */
  constructor(transport: Transport, { bucketBytes = Infinity }: { bucketBytes?: number } = {}) {
    super(transport)
    this.#bucketLength = Math.floor(bucketBytes / Float32Array.BYTES_PER_ELEMENT)
  }

  /** Last layers first, as the backward pass makes them; all buckets are under way at once. */
  async synchronize(parameters: FlatParameters): Promise<Float32Array> {
    const { gradients } = parameters
    const buckets: Promise<void>[] = []
    for (let end = gradients.length; end > 0; end -= this.#bucketLength)
      buckets.push(this.collectives.allReduce(gradients.subarray(Math.max(0, end - this.#bucketLength), end)))
    await Promise.all(buckets)
    return parameters.totals
  }
}
