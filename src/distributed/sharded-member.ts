/** A worker's side of ZeRO: it keeps the optimizer's slots, and perhaps the gradients, of its own weights alone. @module */

import { createFlatFloats, divideLayout, type ElementRange, type FlatParameters } from '../engine/index.js'
import { applyUpdate, type Optimizer, type Slots, sumOfSquares, type UpdateAt } from '../optimizers/index.js'
import type { BatchBuckets, BufferNeeds, StrategyState, TrainingBuffers } from '../training/index.js'
import { shareOf, type Transport } from '../transport/index.js'
import { GroupMember } from './group-member.js'

/** Options of the member, as plain data. */
export interface ShardedOptions {
  stage: 1 | 2
  bucketBytes?: number
}

/** What a worker owns of a bucket. */
interface Share extends ElementRange {
  /** Where it lies among all that the worker owns. */
  at: number
  bucket: ElementRange
}

/** Buckets are so small a part of the gradients, unless `bucketBytes` says more, and no smaller than 64 KiB. */
const BUCKETS = 32
const LEAST_BUCKET = 16_384

/**
 * Reduces gradients to the workers that own them, updates there, and spreads the new weights.
 *
 * Each bucket of the weights is owned in equal shares by all workers. In stage 1 all weights are one bucket; in stage 2
 * the gradients of a bucket are added up as soon as they are computed, and the share alone is kept.
 */
export class ShardedMember extends GroupMember {
  readonly #options: ShardedOptions
  #shares: readonly Share[] = []
  /** Whether gradients are reduced bucket by bucket. */
  #passes = false

  constructor(transport: Transport, options: ShardedOptions, { native = true }: { native?: boolean } = {}) {
    super(transport, { native })
    this.#options = options
  }

  override async createBuffers({ layout, totals, slots, whole }: BufferNeeds): Promise<TrainingBuffers> {
    const { stage, bucketBytes } = this.#options
    const { length } = layout
    this.#passes = stage === 2 && !whole
    const largest = bucketBytes === undefined ? Math.max(LEAST_BUCKET, Math.ceil(length / BUCKETS)) : bucketBytes / 4
    const buckets = this.#passes ? divideLayout(layout, largest) : [{ from: 0, to: length }]
    let at = 0
    this.#shares = buckets.map((bucket) => {
      const { start, end } = shareOf(bucket.to - bucket.from, this.group.rank, this.group.size)
      const share = { from: bucket.from + start, to: bucket.from + end, at, bucket }
      at += end - start
      return share
    })
    const gradients = this.#passes ? at : length
    return {
      weights: createFlatFloats(length),
      sums: createFlatFloats(gradients + totals),
      gradients,
      slots: Array.from({ length: slots }, () => createFlatFloats(at)),
    }
  }

  override gradientBuckets(parameters: FlatParameters): BatchBuckets | undefined {
    if (!this.#passes) return undefined
    return {
      ranges: this.#shares.map(({ bucket }) => bucket),
      take: async (bucket, values, { isFirst }) => {
        const sums = await this.collectives.reduceScatter(values)
        const { at } = this.#shares[bucket]!
        const kept = parameters.gradients.subarray(at, at + sums.length)
        if (isFirst) kept.set(sums)
        else for (let i = 0; i < sums.length; i++) kept[i]! += sums[i]!
      },
    }
  }

  async synchronize(parameters: FlatParameters): Promise<Float32Array> {
    const totals = parameters.totals.slice()
    if (!this.#passes) await this.collectives.reduceScatter(parameters.gradients.subarray(0, parameters.keptGradients))
    await this.collectives.allReduce(totals)
    return totals
  }

  override async gradientNorm(parameters: FlatParameters): Promise<number> {
    const squares = new Float64Array(this.group.size)
    squares[this.group.rank] = this.#shares.reduce((sum, { from, to, at }) => {
      const start = this.#passes ? at : from
      return sum + sumOfSquares(parameters, { from: start, to: start + to - from })
    }, 0)
    // One place for each rank: added up in the same order everywhere.
    await this.collectives.allReduce(squares)
    return Math.sqrt(squares.reduce((sum, part) => sum + part, 0))
  }

  override async update(optimizer: Optimizer, parameters: FlatParameters, slots: Slots, at: UpdateAt): Promise<void> {
    this.updateShares(optimizer, parameters, slots, at)
    await this.spreadWeights(parameters)
  }

  override async gatherState(parameters: FlatParameters, slots: Slots): Promise<StrategyState> {
    const whole: Float32Array[] = []
    for (const slot of slots) {
      const values = new Float32Array(parameters.layout.length)
      for (const { from, to, at, bucket } of this.#shares)
        await this.collectives.allGather(slot.view().subarray(at, at + to - from), {
          into: values.subarray(bucket.from, bucket.to),
        })
      whole.push(values)
    }
    return { slots: whole }
  }

  override async restoreState(state: StrategyState, _parameters: FlatParameters, slots: Slots): Promise<void> {
    for (const [i, slot] of slots.entries())
      for (const { from, to, at } of this.#shares) slot.view().set(state.slots[i]!.subarray(from, to), at)
  }

  /** Updates the weights that this worker owns. */
  protected updateShares(optimizer: Optimizer, parameters: FlatParameters, slots: Slots, at: UpdateAt): void {
    for (const { from, to, at: place } of this.#shares)
      applyUpdate(optimizer, parameters, slots, {
        ...at,
        range: { from, to },
        slotsFrom: from - place,
        gradientsFrom: this.#passes ? from - place : 0,
      })
  }

  /** Puts together the weights that each worker owns. */
  protected async spreadWeights(parameters: FlatParameters): Promise<void> {
    const weights = parameters.parameters
    for (const { from, to, bucket } of this.#shares)
      await this.collectives.allGather(weights.subarray(from, to), { into: weights.subarray(bucket.from, bucket.to) })
  }
}
