/** Trials on a model that is to stay as it is. @module */

import * as tf from '@tensorflow/tfjs-core'
import type * as tfl from '@tensorflow/tfjs-layers'
import type { Callback } from '../training/index.js'

/** Remembers the weights that a model has when training starts, and sets them again. */
export function keepWeights(): { callback: Callback; restore(): void } {
  let kept: { model: tfl.LayersModel; weights: { values: Float32Array; shape: number[] }[] } | undefined
  return {
    callback: {
      async onFitStart({ model }) {
        if (kept) return
        // Copies, for an update may change a tensor's memory in place.
        const weights = model.getWeights().map(async (weight) => ({
          values: Float32Array.from(await weight.data()),
          shape: weight.shape,
        }))
        kept = { model, weights: await Promise.all(weights) }
      },
    },
    restore() {
      if (!kept) return
      const { model, weights } = kept
      tf.tidy(() => model.setWeights(weights.map(({ values, shape }) => tf.tensor(values, shape, 'float32'))))
    },
  }
}
