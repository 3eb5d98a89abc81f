/**
 * Lets tfjs-layers train a dilated conv2d layer.
 *
 * The layer calls `tf.fused.conv2d`, whose gradient refuses dilations over 1 in the operation itself, where no
 * registration reaches it. So the layer's class gets a `call` that takes the plain operation in that case alone.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'

/** What the fields of tfjs-layers' BaseConv are; they are not part of its types. */
interface ConvolutionLayer {
  rank: number
  strides: [number, number]
  padding: 'valid' | 'same' | 'causal'
  dataFormat: 'channelsFirst' | 'channelsLast'
  dilationRate: [number, number]
  kernel: { read(): tf.Tensor4D }
  bias: { read(): tf.Tensor1D } | null
  activation: { apply(x: tf.Tensor): tf.Tensor } | null
  call: Call
}
type Call = (this: ConvolutionLayer, inputs: tf.Tensor | tf.Tensor[], kwargs: object) => tf.Tensor | tf.Tensor[]

const corrected = new WeakSet<object>()

/** Corrects the class of `tfl.layers.conv2d`; cheap when called again. */
export function correctDilatedLayers(): void {
  const layer = tfl.layers.conv2d({ filters: 1, kernelSize: 1, inputShape: [1, 1, 1] })
  // Conv2D takes `call` from its base class, which the layers of other ranks share.
  const prototype = Object.getPrototypeOf(Object.getPrototypeOf(layer)) as ConvolutionLayer
  if (corrected.has(prototype)) return
  corrected.add(prototype)
  const original = prototype.call
  prototype.call = function (inputs, kwargs) {
    const isDilated = this.rank === 2 && this.dilationRate.some((rate) => rate > 1)
    return isDilated && this.dataFormat === 'channelsLast'
      ? callDilated(this, inputs)
      : original.call(this, inputs, kwargs)
  }
}

function callDilated(layer: ConvolutionLayer, inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
  return tf.tidy(() => {
    const x = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor4D
    const pad = layer.padding === 'same' ? 'same' : 'valid'
    const y: tf.Tensor = tf.conv2d(x, layer.kernel.read(), layer.strides, pad, 'NHWC', layer.dilationRate)
    const biased = layer.bias ? tf.add(y, layer.bias.read()) : y
    return layer.activation ? layer.activation.apply(biased) : biased
  })
}
