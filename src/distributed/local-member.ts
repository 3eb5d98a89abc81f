/** A worker's side of local SGD and DiLoCo: it trains alone and averages weights now and then. @module */

import type { FlatParameters } from '../engine/index.js'
import type { Optimizer, Slots, UpdateAt } from '../optimizers/index.js'
import type { StepRecord, StrategyState } from '../training/index.js'
import type { Transport } from '../transport/index.js'
import { completeRecords } from './complete-records.js'
import { GroupMember } from './group-member.js'
import type { OuterOptimizer } from './outer-optimizer.js'

/** Options of the member, as plain data. */
export interface LocalOptions {
  everySteps: number
  outer?: OuterOptimizer
}

/** Updates its own weights with its own gradients; every so many steps the weights of all become their average. */
export class LocalMember extends GroupMember {
  readonly #everySteps: number
  readonly #outer: OuterOptimizer | undefined
  /** Weights after the last outer step, and the outer momentum. */
  #anchor: Float32Array | undefined
  #velocity: Float32Array | undefined

  constructor(transport: Transport, { everySteps, outer }: LocalOptions) {
    super(transport)
    this.#everySteps = everySteps
    this.#outer = outer
  }

  override get ownBytes(): number {
    return (this.#anchor?.byteLength ?? 0) + (this.#velocity?.byteLength ?? 0)
  }

  async synchronize(parameters: FlatParameters): Promise<Float32Array> {
    return parameters.totals.slice()
  }

  override update(optimizer: Optimizer, parameters: FlatParameters, slots: Slots, at: UpdateAt): void {
    if (this.#outer) this.#anchor ??= parameters.parameters.slice()
    super.update(optimizer, parameters, slots, at)
  }

  override async afterStep(step: number, parameters: FlatParameters): Promise<void> {
    if (step % this.#everySteps !== 0) return
    // A worker that had no rows yet has the weights that all began with.
    if (this.#outer) this.#anchor ??= parameters.parameters.slice()
    await this.#average(parameters)
    if (this.#outer) this.#outerStep(this.#outer, parameters)
  }

  override get completesRecords(): boolean {
    return true
  }

  override completeRecords(records: StepRecord[]): Promise<StepRecord[]> {
    return completeRecords(this.collectives, records)
  }

  override gatherWeights(parameters: FlatParameters): Promise<void> {
    return this.#average(parameters)
  }

  /** Averages slots as well: what is saved is a state like any other, and all go on from it. */
  override async gatherState(_parameters: FlatParameters, slots: Slots): Promise<StrategyState> {
    for (const slot of slots) await this.collectives.allReduce(slot.view(), { op: 'mean' })
    const strategy: Record<string, Float32Array> = {}
    if (this.#anchor) strategy.anchor = this.#anchor.slice()
    if (this.#velocity) strategy.velocity = this.#velocity.slice()
    return { slots: slots.map((slot) => slot.view()), strategy }
  }

  override async restoreState(state: StrategyState, parameters: FlatParameters, slots: Slots): Promise<void> {
    await super.restoreState(state, parameters, slots)
    this.#anchor = state.strategy?.anchor?.slice()
    this.#velocity = state.strategy?.velocity?.slice()
  }

  async #average(parameters: FlatParameters): Promise<void> {
    await this.collectives.allReduce(parameters.parameters, { op: 'mean' })
    parameters.publish()
  }

  /** Takes the way that the average went since the last outer step for a gradient. */
  #outerStep({ learningRate, momentum }: OuterOptimizer, parameters: FlatParameters): void {
    const weights = parameters.parameters
    const anchor = this.#anchor!
    this.#velocity ??= new Float32Array(weights.length)
    const velocity = this.#velocity
    for (let i = 0; i < weights.length; i++) {
      const gradient = anchor[i]! - weights[i]!
      velocity[i] = momentum * velocity[i]! + gradient
      anchor[i]! -= learningRate * (gradient + momentum * velocity[i]!)
    }
    weights.set(anchor)
    parameters.publish()
  }
}
