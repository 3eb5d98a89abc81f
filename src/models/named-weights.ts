/** The weights of a model by stable names. @module */

import * as tf from '@tensorflow/tfjs-core'
import type * as tfl from '@tensorflow/tfjs-layers'

/** One weight. */
export interface NamedWeight {
  /** Unique in the model; as tfjs names it, so that it reads the same elsewhere. */
  name: string
  shape: number[]
  trainable: boolean
  variable: tf.Variable
}

/** All weights, in the order of `model.weights`. A name that is used twice gets a number. */
export function namedWeights(model: tfl.LayersModel): NamedWeight[] {
  const seen = new Map<string, number>()
  // tfjs' own tensor of a layer variable, which it does not declare.
  const variableOf = (weight: unknown) => (weight as { val: tf.Variable }).val
  const trainable = new Set<tf.Variable>(model.trainableWeights.map(variableOf))
  return model.weights.map((weight) => {
    const original = weight.originalName
    const count = seen.get(original) ?? 0
    seen.set(original, count + 1)
    const variable = variableOf(weight)
    return {
      name: count === 0 ? original : `${original}_${count}`,
      shape: variable.shape,
      trainable: trainable.has(variable),
      variable,
    }
  })
}

/** Replaces the values of a weight. */
export function writeWeights(variable: tf.Variable, values: ArrayLike<number>): void {
  const tensor = tf.tensor(values as Float32Array, variable.shape, variable.dtype as 'float32')
  variable.assign(tensor)
  tensor.dispose()
}
