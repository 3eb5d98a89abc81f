/**
 * Layer normalization over the last axis as one kernel, its gradient as two, where the backend has them: dcml-wasm.
 *
 * The layer of tfjs-layers composes it of some twelve operations, and its gradient of some forty.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { layerNormGradKernelName, layerNormKernelName, layerNormParameterGradKernelName } from './layer-norm-names.js'
import { hasNative, runNative, runNatives } from './native-kernels.js'

/** What the fields of tfjs-layers' LayerNormalization are; they are not part of its types. */
interface LayerNormalization {
  axis: number[]
  epsilon: number
  gamma?: { read(): tf.Tensor }
  beta?: { read(): tf.Tensor }
  call: Call
}
type Call = (this: LayerNormalization, inputs: tf.Tensor | tf.Tensor[], kwargs: object) => tf.Tensor | tf.Tensor[]

const corrected = new WeakSet<object>()

/** Lets the class of `tfl.layers.layerNormalization` use the kernels; cheap when called again. */
export function speedUpLayerNormalization(): void {
  const prototype = Object.getPrototypeOf(tfl.layers.layerNormalization()) as LayerNormalization
  if (corrected.has(prototype)) return
  corrected.add(prototype)
  const original = prototype.call
  prototype.call = function (inputs, kwargs) {
    const x = (Array.isArray(inputs) ? inputs[0] : inputs)!
    const isLastAxis = this.axis.length === 1 && this.axis[0] === x.rank - 1
    if (!isLastAxis || !this.gamma || !this.beta || x.dtype !== 'float32' || !hasNative(layerNormKernelName))
      return original.call(this, inputs, kwargs)
    const [gamma, beta] = [this.gamma, this.beta]
    return tf.tidy(() => layerNorm(this.epsilon)(x, gamma.read(), beta.read()))
  }
}

/** (x - mean) / sqrt(variance + epsilon) * scale + offset. */
const layerNorm = (epsilon: number) =>
  tf.customGrad((...args) => {
    const [x, scale, offset, save] = args as unknown as [tf.Tensor, tf.Tensor, tf.Tensor, tf.GradSaveFunc]
    const [y, moments] = runNatives<[tf.Tensor, tf.Tensor]>(layerNormKernelName, { x, scale, offset }, { epsilon })
    save([x, scale, moments])
    return {
      value: y,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [x, scale, moments] = saved as [tf.Tensor, tf.Tensor, tf.Tensor]
        const dx = runNative(layerNormGradKernelName, { dy, x, scale, moments })
        return [dx, ...runNatives(layerNormParameterGradKernelName, { dy, x, moments })]
      },
    }
  })
