/** The two networks of the main job. @module */

import * as tfl from '@tensorflow/tfjs-layers'

/** Their names. */
export type DigitsModel = 'mlp' | 'cnn'

/** Builds a network for images `[batch, 28, 28, 1]` and 10 classes. */
export function buildModel(kind: DigitsModel, seed: number): tfl.LayersModel {
  let next = seed
  const initializer = () => tfl.initializers.heUniform({ seed: next++ })
  const dense = (units: number, activation: 'relu' | 'softmax') =>
    tfl.layers.dense({ units, activation, kernelInitializer: initializer() })
  if (kind === 'mlp')
    return tfl.sequential({
      layers: [
        tfl.layers.flatten({ inputShape: [28, 28, 1] }),
        dense(64, 'relu'),
        dense(64, 'relu'),
        dense(10, 'softmax'),
      ],
    })
  const conv = (filters: number, inputShape?: number[]) =>
    tfl.layers.conv2d({
      filters,
      kernelSize: 3,
      activation: 'relu',
      kernelInitializer: initializer(),
      ...(inputShape ? { inputShape } : {}),
    })
  const pool = () => tfl.layers.maxPooling2d({ poolSize: 2, strides: 2 })
  return tfl.sequential({
    layers: [
      conv(16, [28, 28, 1]),
      pool(),
      conv(32),
      pool(),
      tfl.layers.flatten(),
      dense(64, 'relu'),
      dense(10, 'softmax'),
    ],
  })
}
