/**
 * Kernels that are dcml's own, beside those that tfjs knows.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'

/** Whether what runs now is part of a gradient whose own gradient is taken. */
export function isGradientRepeated(): boolean {
  const { state } = tf.engine() as unknown as { state: { gradientDepth: number } }
  return state.gradientDepth > 1
}

/**
 * Whether the current backend has a kernel that may be used now. Gradients of gradients are left to composed forms:
 * a kernel that computes a gradient has none itself.
 */
export const hasNative = (kernelName: string): boolean =>
  !isGradientRepeated() && tf.getKernel(kernelName, tf.getBackend()) !== undefined

/** Runs a kernel of one result. */
export const runNative = (name: string, inputs: Record<string, tf.Tensor>, attrs: tf.NamedAttrMap = {}): tf.Tensor =>
  tf.engine().runKernel(name, inputs, attrs) as tf.Tensor

/** Runs a kernel of several results. */
export const runNatives = <T extends tf.Tensor[]>(
  name: string,
  inputs: Record<string, tf.Tensor>,
  attrs: tf.NamedAttrMap = {},
): T => tf.engine().runKernel(name, inputs, attrs) as T
