/** A worker's side of data parallelism with compressed gradients. @module */

import type { FlatParameters, ParameterLayout } from '../engine/index.js'
import type { Slots } from '../optimizers/index.js'
import type { StrategyState } from '../training/index.js'
import type { Transport } from '../transport/index.js'
import type { Compression } from './compression/compression.js'
import { HalfReducer } from './compression/half-reducer.js'
import { Int8Reducer } from './compression/int8-reducer.js'
import { PowerSgdReducer } from './compression/power-sgd-reducer.js'
import type { GradientReducer } from './compression/reducer.js'
import { TopKReducer } from './compression/top-k-reducer.js'
import { GroupMember } from './group-member.js'

/** Sums of loss and metrics travel as they are; gradients through a reducer. */
export class CompressedMember extends GroupMember {
  readonly #compression: Compression
  #reducer: GradientReducer | undefined

  constructor(transport: Transport, compression: Compression) {
    // What a transport adds up by itself it adds up whole.
    super(transport, { native: false })
    this.#compression = compression
  }

  override get ownBytes(): number {
    return (this.#reducer?.error?.byteLength ?? 0) + (this.#reducer?.shared?.byteLength ?? 0)
  }

  async synchronize(parameters: FlatParameters): Promise<Float32Array> {
    const totals = parameters.totals.slice()
    await this.collectives.allReduce(totals)
    await this.#reducerOf(parameters.layout).reduce(parameters)
    return totals
  }

  override async gatherState(parameters: FlatParameters, slots: Slots): Promise<StrategyState> {
    const { error, shared } = this.#reducerOf(parameters.layout)
    const strategy: Record<string, Float32Array> = {}
    if (shared) strategy.shared = shared.slice()
    if (error) {
      const errors = await this.collectives.allGather(error)
      for (let rank = 0; rank < this.group.size; rank++)
        strategy[`error.${rank}`] = errors.slice(rank * error.length, (rank + 1) * error.length)
    }
    return { ...(await super.gatherState(parameters, slots)), strategy }
  }

  override async restoreState(state: StrategyState, parameters: FlatParameters, slots: Slots): Promise<void> {
    await super.restoreState(state, parameters, slots)
    const { error, shared } = this.#reducerOf(parameters.layout)
    const saved = state.strategy ?? {}
    if (shared && saved.shared?.length === shared.length) shared.set(saved.shared)
    if (!error) return
    const errors = Object.keys(saved)
      .filter((name) => name.startsWith('error.'))
      .map((name) => saved[name]!)
    if (errors.length === this.group.size) error.set(saved[`error.${this.group.rank}`]!)
    // Another number of workers sends the same in equal parts.
    else error.set(error.map((_, i) => errors.reduce((sum, part) => sum + part[i]!, 0) / this.group.size))
  }

  #reducerOf(layout: ParameterLayout): GradientReducer {
    this.#reducer ??= this.#createReducer(layout)
    return this.#reducer
  }

  #createReducer(layout: ParameterLayout): GradientReducer {
    const { collectives, transport } = this
    const { length } = layout
    const compression = this.#compression
    switch (compression.name) {
      case 'float16':
      case 'bfloat16':
        return new HalfReducer(collectives, compression.name)
      case 'int8':
        return new Int8Reducer(collectives, transport, { bucket: compression.bucket, length })
      case 'top-k':
        return new TopKReducer(collectives, { ratio: compression.ratio, length })
      case 'power-sgd':
        return new PowerSgdReducer(collectives, { rank: compression.rank, seed: compression.seed, layout })
      default:
        return compression satisfies never
    }
  }
}
