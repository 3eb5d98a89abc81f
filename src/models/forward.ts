/** Running a model up to its logits. @module */

import type * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'

/** What a model ends with. */
export type OutputActivation = 'softmax' | 'sigmoid' | 'other'

// What tfjs keeps on its layers but does not declare.
interface ActivatedLayer {
  activation?: { getClassName(): string }
}

/** The activation that a model ends with. */
export function outputActivation(model: tfl.LayersModel): OutputActivation {
  const name = activatedLayer(model)?.activation?.getClassName()
  return name === 'softmax' || name === 'sigmoid' ? name : 'other'
}

/**
 * Runs a model.
 *
 * @param inputs - One tensor `[batch, ...]` per input.
 * @param options - `training`: as the layers' argument of that name. `logits`: leave the last activation out.
 * @returns The output, `[batch, ...]`.
 */
export function forward(
  model: tfl.LayersModel,
  inputs: tf.Tensor | tf.Tensor[],
  { training, logits }: { training: boolean; logits: boolean },
): tf.Tensor | tf.Tensor[] {
  const run = () => model.apply(inputs, { training }) as tf.Tensor | tf.Tensor[]
  const layer = logits ? activatedLayer(model) : undefined
  const activation = layer?.activation
  if (!layer || !activation) return run()
  // The layer is as it was for everybody else: nothing else runs between the two assignments.
  layer.activation = linear()
  try {
    return run()
  } finally {
    layer.activation = activation
  }
}

/** The last layer, when it applies an activation itself: Dense, Activation and their kin. */
function activatedLayer(model: tfl.LayersModel): ActivatedLayer | undefined {
  if (model.outputs.length !== 1) return undefined
  const layer = model.outputs[0]!.sourceLayer as unknown as ActivatedLayer & tfl.LayersModel
  // A model as the last layer of a model.
  if (Array.isArray(layer.layers) && layer.outputs) return activatedLayer(layer)
  return layer.activation ? layer : undefined
}

let linearActivation: ActivatedLayer['activation']

function linear(): NonNullable<ActivatedLayer['activation']> {
  linearActivation ??= (tfl.layers.activation({ activation: 'linear' }) as unknown as Required<ActivatedLayer>)
    .activation
  return linearActivation
}
