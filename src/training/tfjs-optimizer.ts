/** An optimizer of tfjs in the place of one of dcml's own. @module */

import * as tf from '@tensorflow/tfjs-core'
import { ConfigError, sizeOf } from '../core/index.js'
import type { FlatParameters } from '../engine/index.js'
import type { Optimizer, OptimizerDescription, UpdateRange } from '../optimizers/index.js'

/** Whether a value is an optimizer such as `tf.train.adam(1e-3)`. */
export function isTfjsOptimizer(value: unknown): value is tf.Optimizer {
  return typeof value === 'object' && value !== null && value instanceof tf.Optimizer
}

/** What a job tells of such an optimizer: its name. Its rate and options stay with the object. */
export function describeTfjsOptimizer(optimizer: tf.Optimizer): OptimizerDescription {
  return { name: `tf.train.${optimizer.getClassName()}`, options: {}, learningRate: 0 }
}

/** Hands gradients from the flat buffer to a `tf.Optimizer`, and takes the new weights back into it. */
export class TfjsOptimizer implements Optimizer {
  readonly name: string
  readonly options = {}
  readonly learningRate = 0
  /** None in the flat buffers: tfjs keeps its own, from one `fit` to the next. */
  readonly slots: readonly string[] = []
  readonly #optimizer: tf.Optimizer
  readonly #parameters: FlatParameters

  constructor(optimizer: tf.Optimizer, parameters: FlatParameters) {
    this.name = describeTfjsOptimizer(optimizer).name
    this.#optimizer = optimizer
    this.#parameters = parameters
  }

  update({ gradients, gradientScale }: UpdateRange): void {
    const { layout, variables } = this.#parameters
    const named = layout.entries.map(({ offset, length, shape }, i) => ({
      name: variables[i]!.name,
      tensor: tf.tensor(
        gradients.slice(offset, offset + length).map((value) => value * gradientScale),
        [...shape],
        'float32',
      ),
    }))
    this.#optimizer.applyGradients(named)
    tf.dispose(named.map(({ tensor }) => tensor))
    this.#parameters.readVariables()
  }

  /** The optimizer's own weights, as one slot of numbered arrays; nothing for a class that tfjs cannot save. */
  async readState(): Promise<Record<string, Record<string, Float32Array>>> {
    let weights: Awaited<ReturnType<tf.Optimizer['getWeights']>>
    try {
      weights = await this.#optimizer.getWeights()
    } catch {
      // Adamax, and every class that does not implement it. Resuming says so.
      return {}
    }
    const values: Record<string, Float32Array> = {}
    for (const [i, { tensor }] of weights.entries()) {
      values[i] = Float32Array.from(await tensor.data())
      disposeCopy(tensor)
    }
    return { [this.name]: values }
  }

  /** Puts back what `readState` gave. */
  async writeState(slots: Record<string, Record<string, Float32Array>>): Promise<void> {
    const saved = slots[this.name]
    if (!saved)
      throw new ConfigError(`The checkpoint holds no state of ${this.name}.`, {
        expected: `one of ${this.name}`,
        received: Object.keys(slots).join(', ') || 'none',
        remedy: 'Resume with the optimizer that the checkpoint was made with; tfjs cannot save every class of its own',
      })
    const before = await this.#optimizer.getWeights()
    const { entries } = this.#parameters.layout
    const tensors = Object.values(saved).map((values, i) => {
      // First the number of updates, then one value or more per parameter, all of one kind before the next.
      if (i === 0) return tf.scalar(values[0]!, 'int32')
      const { name, shape } = entries[(i - 1) % entries.length]!
      if (values.length === sizeOf(shape)) return tf.tensor(values, [...shape], 'float32')
      throw new ConfigError(`The saved state of ${this.name} does not fit '${name}'.`, {
        expected: `${sizeOf(shape)} values`,
        received: `${values.length} values`,
        remedy: 'Resume with the model that the checkpoint was made with',
      })
    })
    await this.#optimizer.setWeights(tensors.map((tensor, i) => ({ name: `${this.name}/${i}`, tensor })))
    tf.dispose(tensors)
    const after = await this.#optimizer.getWeights()
    const inUse = new Set(after.map(({ tensor }) => tensor))
    for (const { tensor } of before) if (!inUse.has(tensor)) tensor.dispose()
    for (const { tensor } of after) disposeCopy(tensor)
  }
}

/** `getWeights` gives some tensors that are the optimizer's own variables, and some that are made for the caller. */
function disposeCopy(tensor: tf.Tensor): void {
  if (!(tensor instanceof tf.Variable)) tensor.dispose()
}
