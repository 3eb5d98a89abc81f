/** A worker's side of ZeRO: it keeps the optimizer's slots of its own share of the weights alone. @module */

import { createFlatFloats, type FlatParameters } from '../engine/index.js'
import { applyUpdate, type Optimizer, type Slots, sumOfSquares, type UpdateAt } from '../optimizers/index.js'
import type { StrategyState, TrainingBuffers } from '../training/index.js'
import { shareOf } from '../transport/index.js'
import { Member } from './member.js'

/** Reduces gradients to the worker that owns them, updates there, and spreads the new weights. */
export class ShardedMember extends Member {
  override async createBuffers(lengths: { weights: number; sums: number; slots: number }): Promise<TrainingBuffers> {
    const { from, to } = this.range(lengths.weights)
    return {
      weights: createFlatFloats(lengths.weights),
      sums: createFlatFloats(lengths.sums),
      slots: Array.from({ length: lengths.slots }, () => createFlatFloats(to - from)),
    }
  }

  async synchronize(parameters: FlatParameters): Promise<Float32Array> {
    const { gradients, layout } = parameters
    const totals = gradients.slice(layout.length)
    await this.collectives.reduceScatter(gradients.subarray(0, layout.length))
    await this.collectives.allReduce(totals)
    return totals
  }

  override async gradientNorm(parameters: FlatParameters): Promise<number> {
    const squares = new Float64Array(this.group.size)
    squares[this.group.rank] = sumOfSquares(parameters, this.range(parameters.layout.length))
    // One place for each rank: added up in the same order everywhere.
    await this.collectives.allReduce(squares)
    return Math.sqrt(squares.reduce((sum, part) => sum + part, 0))
  }

  override async update(optimizer: Optimizer, parameters: FlatParameters, slots: Slots, at: UpdateAt): Promise<void> {
    const range = this.range(parameters.layout.length)
    applyUpdate(optimizer, parameters, slots, { ...at, range, slotsFrom: range.from })
    await this.spreadWeights(parameters)
  }

  override async gatherState(parameters: FlatParameters, slots: Slots): Promise<StrategyState> {
    const { length } = parameters.layout
    const whole: Float32Array[] = []
    for (const slot of slots)
      whole.push(await this.collectives.allGather(slot.view(), { into: new Float32Array(length) }))
    return { slots: whole }
  }

  override async restoreState(state: StrategyState, parameters: FlatParameters, slots: Slots): Promise<void> {
    const { from, to } = this.range(parameters.layout.length)
    for (const [i, slot] of slots.entries()) slot.view().set(state.slots[i]!.subarray(from, to))
  }

  /** What this worker owns of so many elements. */
  protected range(length: number): { from: number; to: number } {
    const { start, end } = shareOf(length, this.group.rank, this.group.size)
    return { from: start, to: end }
  }

  /** Puts together the weights that each worker owns. */
  protected async spreadWeights(parameters: FlatParameters): Promise<void> {
    const weights = parameters.parameters
    const { from, to } = this.range(parameters.layout.length)
    await this.collectives.allGather(weights.subarray(from, to), { into: weights })
  }
}
