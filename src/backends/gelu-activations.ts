/**
 * Lets the activations 'gelu' and 'gelu_new' of tfjs-layers use dcml's kernels.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { gelu } from './gelu.js'

interface Activation {
  apply(x: tf.Tensor): tf.Tensor
}

/**
 * Gives the classes of both activations dcml's function, which composes what tfjs composes elsewhere.
 *
 * tfjs reads 'gelu_new' of a saved model as 'geluNew', a name that it does not know: it is told.
 */
export function speedUpGelu(): void {
  for (const [activation, approximate] of [
    ['gelu', false],
    ['gelu_new', true],
  ] as const) {
    const layer = tfl.layers.activation({ activation }) as unknown as { activation: Activation }
    const prototype = Object.getPrototypeOf(layer.activation) as Activation
    prototype.apply = (x) => gelu(x, { approximate })
  }
  const { classNameMap } = tf.serialization.SerializationMap.getMap()
  classNameMap.geluNew ??= classNameMap.gelu_new!
}
