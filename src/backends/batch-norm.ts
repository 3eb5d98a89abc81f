/**
 * Batch normalization with the moments of the batch as one kernel each way, where the backend has them: dcml-wasm.
 * @module
 */

import type * as tf from '@tensorflow/tfjs-core'
import { runNatives } from './native-kernels.js'

/** Names of the kernels in tfjs. */
export const batchNormTrainingKernelName = 'DcmlBatchNormTraining'
export const batchNormTrainingGradKernelName = 'DcmlBatchNormTrainingGrad'

type Three = [tf.Tensor, tf.Tensor, tf.Tensor]

/**
 * (x - mean) / sqrt(variance + epsilon) * scale + offset for each channel.
 *
 * @param x - `[..., channels]`; scale and offset are `[channels]`.
 * @returns The result, and mean and variance over all but the last axis, `[channels]`: no gradient flows through those two.
 */
export const batchNormTraining = ([x, scale, offset]: Three, epsilon: number): Three =>
  runNatives<Three>(batchNormTrainingKernelName, { x, scale, offset }, { epsilon })

export const batchNormTrainingGradient: tf.GradConfig = {
  kernelName: batchNormTrainingKernelName,
  inputsToSave: ['x', 'scale'],
  outputsToSave: [false, true, true],
  gradFunc: (dys, saved, attrs) => {
    const [x, scale, mean, variance] = saved as [...Three, tf.Tensor]
    const dy = (dys as tf.Tensor[])[0]!
    const inputs = { dy, x, scale, mean, variance }
    const [dx, dScale, dOffset] = runNatives<Three>(batchNormTrainingGradKernelName, inputs, attrs)
    return { x: () => dx, scale: () => dScale, offset: () => dOffset }
  },
}
