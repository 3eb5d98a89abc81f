/**
 * What a replica goes on from, by name: weights, values that change untrained, the optimizer's slots.
 *
 * Owns: the way of all of them out of and into the buffers of training.
 * Leaves: what the other workers hold to the strategy.
 * @module
 */

import type * as tfl from '@tensorflow/tfjs-layers'
import type { FlatParameters } from '../engine/index.js'
import { namedWeights, writeWeights } from '../models/index.js'
import type { Optimizer, Slots } from '../optimizers/index.js'
import type { TrainingState } from './job.js'
import { namedValues, restoreValues } from './named-values.js'
import type { DistributedStrategy } from './strategy.js'
import { TfjsOptimizer } from './tfjs-optimizer.js'

/** State without the number of the update, which who trains counts. */
type Values = Omit<TrainingState, 'step'>

/** Who holds the state. */
export interface StateParts {
  model: tfl.LayersModel
  strategy: DistributedStrategy
  parameters: FlatParameters
  optimizer: Optimizer
  slots: Slots
}

/** Reads and writes the state of one replica, in step with its peers. */
export class ReplicaState {
  readonly #parts: StateParts
  /** Values that change untrained, such as moving means: each worker has its own. */
  readonly #buffers: ReturnType<typeof namedWeights>

  constructor(parts: StateParts) {
    this.#parts = parts
    this.#buffers = namedWeights(parts.model).filter((weight) => !weight.trainable)
  }

  async read(): Promise<Values> {
    const { strategy, parameters, optimizer, slots: own } = this.#parts
    const weights = await this.#gatherWeights()
    const { slots, strategy: other } = await strategy.gatherState(parameters, own)
    return {
      ...weights,
      slots:
        optimizer instanceof TfjsOptimizer
          ? await optimizer.readState()
          : Object.fromEntries(optimizer.slots.map((name, i) => [name, namedValues(parameters.layout, slots[i]!)])),
      ...(other ? { strategy: other } : {}),
    }
  }

  /** @throws {ConfigError} if the state is that of another model or optimizer. */
  async write(state: Values): Promise<void> {
    const { strategy, parameters, optimizer, slots: own } = this.#parts
    const { layout } = parameters
    const weights = new Float32Array(layout.length)
    restoreValues(layout, weights, state.parameters, 'weights')
    parameters.weights.write(weights)
    parameters.publish()
    const slots = optimizer.slots.map((slot) => {
      const values = new Float32Array(layout.length)
      restoreValues(layout, values, state.slots[slot] ?? {}, `${slot} values`)
      return values
    })
    const other = state.strategy ? { strategy: state.strategy } : {}
    await strategy.restoreState({ slots, ...other }, parameters, own)
    if (optimizer instanceof TfjsOptimizer) await optimizer.writeState(state.slots)
    for (const { name, variable } of this.#buffers) {
      const saved = state.buffers[name]
      if (saved) writeWeights(variable, saved)
    }
  }

  async readWeights(): Promise<Record<string, Float32Array>> {
    const { parameters, buffers } = await this.#gatherWeights()
    return { ...parameters, ...buffers }
  }

  writeWeights(weights: Record<string, Float32Array>): void {
    const { parameters } = this.#parts
    for (const { name, offset } of parameters.layout.entries) parameters.weights.write(weights[name]!, offset)
    parameters.publish()
    for (const { name, variable } of this.#buffers) writeWeights(variable, weights[name]!)
  }

  /** Brings all workers to the same weights. */
  async #gatherWeights(): Promise<Pick<Values, 'parameters' | 'buffers'>> {
    const { strategy, parameters } = this.#parts
    const buffers: Record<string, Float32Array> = {}
    for (const { name, variable } of this.#buffers) {
      const values = Float32Array.from(await variable.data())
      await strategy.averageBuffers(values)
      writeWeights(variable, values)
      buffers[name] = values
    }
    await strategy.gatherWeights(parameters)
    return { parameters: namedValues(parameters.layout, await parameters.weights.read()), buffers }
  }
}
