/** A layer of a transformer that tfjs-layers lacks. @module */

import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'

type Shape = (number | null)[]

const only = (inputs: tf.Tensor | tf.Tensor[]) => (Array.isArray(inputs) ? inputs[0]! : inputs)

/** Adds a learned vector per position to tokens `[batch, tokens, width]`. */
export class AddPositions extends tfl.layers.Layer {
  static className = 'BenchAddPositions'
  #positions: tfl.LayerVariable | undefined

  override build(shape: Shape): void {
    const initializer = tfl.initializers.randomNormal({ stddev: 0.02 })
    this.#positions = this.addWeight('positions', shape.slice(1), 'float32', initializer)
    this.built = true
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.add(only(inputs), this.#positions!.read())
  }

  override computeOutputShape(shape: Shape): Shape {
    return shape
  }
}
