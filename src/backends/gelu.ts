/**
 * GELU as one kernel, its gradient as another, where the backend has them: dcml-wasm. Elsewhere it is composed.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import { hasNative, runNative } from './native-kernels.js'

/** Names of the kernels in tfjs. */
export const geluKernelName = 'DcmlGelu'
export const geluGradKernelName = 'DcmlGeluGrad'

/** Options of `gelu`. */
export interface GeluOptions {
  /** Whether tanh stands in for erf: up to 5e-4 off, as GPT-2 and BERT were trained. @default false */
  approximate?: boolean
}

/**
 * Gaussian error linear unit: x (1 + erf(x / sqrt 2)) / 2, x times the share of a standard normal distribution below x.
 *
 * `approximate`: x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2. Layers of tfjs have both as activations: `'gelu'` and
 * `'gelu_new'`.
 *
 * @param x - float32, any shape.
 * @returns float32, the shape of x. The caller disposes it.
 * @see Hendrycks and Gimpel 2016, https://arxiv.org/abs/1606.08415
 * @example
 * const y = gelu(tf.matMul(x, kernel))
 */
export function gelu(x: tf.Tensor, options: GeluOptions = {}): tf.Tensor {
  const { approximate = false } = options
  if (x.dtype === 'float32' && hasNative(geluKernelName)) return runNative(geluKernelName, { x }, { approximate })
  return tf.tidy(() =>
    tf.mul(x, tf.mul(0.5, tf.add(1, approximate ? tf.tanh(cubic(x)) : tf.erf(tf.div(x, Math.SQRT2))))),
  )
}

const cubic = (x: tf.Tensor): tf.Tensor =>
  tf.mul(Math.sqrt(2 / Math.PI), tf.add(x, tf.mul(0.044715, tf.mul(x, tf.square(x)))))

export const geluGradient: tf.GradConfig = {
  kernelName: geluKernelName,
  inputsToSave: ['x'],
  gradFunc: (dy, saved, attrs) => ({
    x: () => runNative(geluGradKernelName, { dy: dy as tf.Tensor, x: saved[0]! }, attrs),
  }),
}
