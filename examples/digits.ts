/** What the examples share: drawn digits and a small network. @module */

import * as tfl from '@tensorflow/tfjs-layers'
import { Dataset, datasets } from 'dcml'

/** Drawn digits: `x` float32 in 0..1, `[count, 784]`; `y` their classes. */
export async function digits(count: number, seed: number): Promise<Dataset> {
  const { x, y } = await datasets.syntheticDigits({ count, seed }).columns()
  const pixels = Float32Array.from(x!.data as Uint8Array, (pixel) => pixel / 255)
  return Dataset.fromArrays({ x: { data: pixels, shape: [count, 784] }, y: y! })
}

/** A network of one hidden layer. */
export function network(): tfl.LayersModel {
  const kernelInitializer = () => tfl.initializers.glorotUniform({ seed: 1 })
  return tfl.sequential({
    layers: [
      tfl.layers.dense({ units: 64, activation: 'relu', inputShape: [784], kernelInitializer: kernelInitializer() }),
      tfl.layers.dense({ units: 10, activation: 'softmax', kernelInitializer: kernelInitializer() }),
    ],
  })
}
