/** A setup module: what every worker loads before it builds the model. @module */

import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'

type Shape = (number | null)[]

/** x * sigmoid(x), as a layer tfjs does not know. */
class Swish extends tfl.layers.Layer {
  static className = 'ExampleSwish'
  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = Array.isArray(inputs) ? inputs[0]! : inputs
    return tf.mul(x, tf.sigmoid(x))
  }
  override computeOutputShape(shape: Shape): Shape {
    return shape
  }
}
tf.serialization.registerClass(Swish)

/** A classifier with the layer in it. */
export function swishNetwork(): tfl.LayersModel {
  const kernelInitializer = () => tfl.initializers.glorotUniform({ seed: 1 })
  return tfl.sequential({
    layers: [
      tfl.layers.dense({ units: 64, inputShape: [784], kernelInitializer: kernelInitializer() }),
      new Swish({}),
      tfl.layers.dense({ units: 10, activation: 'softmax', kernelInitializer: kernelInitializer() }),
    ],
  })
}
