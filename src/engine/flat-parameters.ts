/**
 * Parameters and gradients of a model as two flat buffers.
 *
 * Owns: the buffers, and that the model's variables show what the parameter buffer holds.
 * Leaves: what is done with them to the optimizer and the strategy.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import { copyInto, fillPart } from '../backends/index.js'
import { createFlatFloats, type FlatFloats } from './flat-floats.js'
import { createLayout, type ParameterLayout } from './layout.js'

/** A trainable variable and the name that it has in layouts and checkpoints. */
export interface NamedVariable {
  readonly name: string
  readonly shape: readonly number[]
  readonly variable: tf.Variable
}

/** The buffers of a model in training. */
export interface FlatBuffers {
  weights: FlatFloats
  sums: FlatFloats
  /** How many gradients lie in `sums`: fewer than weights where a worker keeps a share of them. @default all */
  gradients?: number
}

/**
 * On dcml's wasm backend the variables alias the parameter buffer, so an update in place is an update of the model. On
 * every other backend the buffers live in host memory and `publish` uploads them.
 */
export class FlatParameters {
  readonly layout: ParameterLayout
  readonly variables: readonly tf.Variable[]
  /** The parameters, `[layout.length]`. */
  readonly weights: FlatFloats
  /** The gradients that are kept, `[keptGradients]`, and behind them further sums that are reduced with them. */
  readonly sums: FlatFloats
  readonly keptGradients: number
  /** What was set last behind the gradients, before it was added up with those of others. */
  ownTotals: Float32Array = new Float32Array()
  #boundTo: object[] = []

  /**
   * @param named - The trainable variables, in layout order.
   * @param buffers - Zeroed buffers for weights and sums; by default new ones without a tail.
   */
  constructor(named: readonly NamedVariable[], buffers?: FlatBuffers) {
    this.layout = createLayout(named)
    this.variables = named.map(({ variable }) => variable)
    const { length } = this.layout
    this.weights = buffers?.weights ?? createFlatFloats(length)
    this.sums = buffers?.sums ?? createFlatFloats(length)
    this.keptGradients = buffers?.gradients ?? length
    this.readVariables()
  }

  /** The parameters, `[layout.length]`. A view that the next allocation may move: fetch it again after each step. */
  get parameters(): Float32Array {
    return this.weights.view()
  }

  /** The gradients and, behind them, what rides with them. Fetch it again after each step. */
  get gradients(): Float32Array {
    return this.sums.view()
  }

  /** What rides behind the gradients. Fetch it again after each step. */
  get totals(): Float32Array {
    return this.gradients.subarray(this.keptGradients)
  }

  /** Sets what rides behind the gradients. */
  writeTotals(totals: Float32Array): void {
    this.sums.write(totals, this.keptGradients)
    this.ownTotals = totals
  }

  /** Takes the values that the variables have now, for instance after `model.setWeights`. */
  readVariables(): void {
    this.layout.entries.forEach(({ offset }, i) => {
      const variable = this.variables[i]!
      if (this.weights.device) copyInto(variable, this.weights.device, offset, false)
      else this.parameters.set(variable.dataSync() as Float32Array, offset)
    })
    this.#bind()
  }

  /** Makes the variables show what the parameter buffer holds. Costs nothing where they alias it. */
  publish(): void {
    if (!this.weights.device || this.variables.some((variable, i) => variable.dataId !== this.#boundTo[i])) this.#bind()
  }

  /** Adds a gradient to those in a buffer of the layout, or sets it there. */
  addGradient(sums: FlatFloats, index: number, gradient: tf.Tensor, accumulate: boolean): void {
    const { offset } = this.layout.entries[index]!
    if (sums.device) {
      copyInto(gradient, sums.device, offset, accumulate)
      return
    }
    const values = gradient.dataSync() as Float32Array
    const target = sums.view()
    if (!accumulate) target.set(values, offset)
    else for (let i = 0; i < values.length; i++) target[offset + i]! += values[i]!
  }

  /** Sets the gradient of a variable to zero. */
  clearGradient(sums: FlatFloats, index: number): void {
    const { offset, length } = this.layout.entries[index]!
    if (sums.device) fillPart(sums.device, offset, length, 0)
    else sums.view().fill(0, offset, offset + length)
  }

  /** Gives the variables storage of their own again and frees the buffers. */
  dispose(): void {
    if (!this.weights.device) return
    this.variables.forEach((variable, i) => {
      const { offset, length } = this.layout.entries[i]!
      const own = tf.tensor(this.parameters.slice(offset, offset + length), variable.shape, 'float32')
      variable.assign(own)
      own.dispose()
    })
    this.weights.dispose()
    this.sums.dispose()
  }

  #bind(): void {
    this.#boundTo = this.layout.entries.map(({ offset, length }, i) => {
      const variable = this.variables[i]!
      const shape = variable.shape
      const tensor = this.weights.device
        ? this.weights.device.tensor(offset, shape)
        : tf.tensor(this.parameters.slice(offset, offset + length), shape, 'float32')
      variable.assign(tensor)
      tensor.dispose()
      return variable.dataId
    })
  }
}
