/** The weights of a model by stable names. @module */

import * as tf from '@tensorflow/tfjs-core'
import type * as tfl from '@tensorflow/tfjs-layers'

/** One weight. */
export interface NamedWeight {
  /** Unique in the model, and the same for every model of this topology. */
  name: string
  shape: number[]
  trainable: boolean
  variable: tf.Variable
}

/**
 * All weights, layer by layer, named by place, class and role: `0.dense.kernel`.
 *
 * tfjs' own names count every layer that a process ever made, so a model built again, or in another thread, would not
 * find its checkpoint.
 */
export function namedWeights(model: tfl.LayersModel): NamedWeight[] {
  const seen = new Map<string, number>()
  // tfjs' own tensor of a layer variable, which it does not declare.
  const variableOf = (weight: unknown) => (weight as { val: tf.Variable }).val
  const trainable = new Set<tf.Variable>(model.trainableWeights.map(variableOf))
  return model.layers.flatMap((layer, index) =>
    layer.weights.map((weight) => {
      const role = weight.originalName.split('/').at(-1)!
      const base = `${index}.${layer.getClassName().toLowerCase()}.${role}`
      const count = seen.get(base) ?? 0
      seen.set(base, count + 1)
      const variable = variableOf(weight)
      return {
        name: count === 0 ? base : `${base}_${count}`,
        shape: variable.shape,
        trainable: trainable.has(variable),
        variable,
      }
    }),
  )
}

/** Replaces the values of a weight. */
export function writeWeights(variable: tf.Variable, values: ArrayLike<number>): void {
  const tensor = tf.tensor(values as Float32Array, variable.shape, variable.dtype as 'float32')
  variable.assign(tensor)
  tensor.dispose()
}
