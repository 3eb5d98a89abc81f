/** The networks as models of tfjs-layers. @module */

import * as tfl from '@tensorflow/tfjs-layers'
import { MultiHeadAttention } from '../../index.js'
import type { Network } from './cases.js'
import { AddPositions } from './positions.js'
import { inputShapeOf } from './random-data.js'

/** Builds a network, with a softmax over 10 classes at its end. */
export function buildNetwork(network: Network): tfl.LayersModel {
  const inputShape = inputShapeOf(network)
  switch (network.kind) {
    case 'mlp':
      return tfl.sequential({
        layers: [
          ...network.units.map((units, i) =>
            tfl.layers.dense({ units, activation: 'relu', ...(i === 0 ? { inputShape } : {}) }),
          ),
          classes(),
        ],
      })
    case 'cnn': {
      const [first, second] = network.filters
      const conv = (filters: number) => ({ filters, kernelSize: 3, activation: 'relu' as const })
      return tfl.sequential({
        layers: [
          tfl.layers.conv2d({ ...conv(first), inputShape }),
          tfl.layers.maxPooling2d({ poolSize: 2 }),
          tfl.layers.conv2d(conv(second)),
          tfl.layers.maxPooling2d({ poolSize: 2 }),
          tfl.layers.flatten(),
          tfl.layers.dense({ units: network.units, activation: 'relu' }),
          classes(),
        ],
      })
    }
    case 'lstm':
      return tfl.sequential({
        layers: [
          tfl.layers.lstm({
            units: network.units,
            recurrentActivation: 'sigmoid',
            // The default, an orthogonal matrix, needs chained operations that tfjs-core by itself lacks.
            recurrentInitializer: 'glorotUniform',
            inputShape,
          }),
          classes(),
        ],
      })
    case 'transformer':
      return transformer(network)
  }
}

function transformer(network: Network & { kind: 'transformer' }): tfl.LayersModel {
  const { tokens, vocabulary, width, heads, blocks, hidden } = network
  const normalize = () => tfl.layers.layerNormalization({ epsilon: 1e-5 })
  const added = (a: tfl.SymbolicTensor, b: tfl.SymbolicTensor) =>
    normalize().apply(tfl.layers.add().apply([a, b])) as tfl.SymbolicTensor
  const input = tfl.input({ shape: [tokens] })
  let x = new AddPositions({}).apply(
    tfl.layers.embedding({ inputDim: vocabulary, outputDim: width }).apply(input),
  ) as tfl.SymbolicTensor
  for (let block = 0; block < blocks; block++) {
    const mixed = new MultiHeadAttention({ numHeads: heads, keyDim: width / heads }).apply(x)
    x = added(x, mixed as tfl.SymbolicTensor)
    const inner = tfl.layers.dense({ units: hidden, activation: 'relu' }).apply(x)
    x = added(x, tfl.layers.dense({ units: width }).apply(inner) as tfl.SymbolicTensor)
  }
  const pooled = tfl.layers.globalAveragePooling1d({}).apply(x)
  return tfl.model({ inputs: input, outputs: classes().apply(pooled) as tfl.SymbolicTensor })
}

const classes = () => tfl.layers.dense({ units: 10, activation: 'softmax' })
