/** Trials on a model that is to stay as it is. @module */

import * as tf from '@tensorflow/tfjs-core'
import type * as tfl from '@tensorflow/tfjs-layers'
import type { Callback, TrainerOptions } from '../training/index.js'

/** What trials do to models, to be undone. */
export interface KeptWeights {
  /** For a trial's trainer. @param given - The model of the trainer that is tried, or what makes one. */
  callback(given: TrainerOptions['model']): Callback
  /** Sets the weights of a given model as they were, and disposes the models that trials made for themselves. */
  restore(): void
}

/** Remembers the weights that a model has when training starts. */
export function keepWeights(): KeptWeights {
  let kept: { model: tfl.LayersModel; weights: { values: Float32Array; shape: number[] }[] } | undefined
  const made = new Set<tfl.LayersModel>()
  return {
    callback: (given) => ({
      async onFitStart({ model }) {
        if (typeof given === 'function') made.add(model)
        else if (!kept) {
          // Copies, for an update may change a tensor's memory in place.
          const weights = model.getWeights().map(async (weight) => ({
            values: Float32Array.from(await weight.data()),
            shape: weight.shape,
          }))
          kept = { model, weights: await Promise.all(weights) }
        }
      },
    }),
    restore() {
      for (const model of made) model.dispose()
      if (!kept) return
      const { model, weights } = kept
      tf.tidy(() => model.setWeights(weights.map(({ values, shape }) => tf.tensor(values, shape, 'float32'))))
    },
  }
}
