/**
 * The native form of `DcmlSoftmaxCrossEntropy` and its gradient; ../../softmax-cross-entropy.ts says what they compute.
 * @module
 */

import type * as tf from '@tensorflow/tfjs-core'
import { sizeOf } from '../../core/index.js'
import type { DeviceBackend } from '../device-backend.js'
import { crossEntropyGradKernelName, crossEntropyKernelName } from '../softmax-cross-entropy.js'
import { type BackendKernel, defineKernels } from './define.js'

/** Pointers of the targets and of the labels; one of them is 0. */
function truthOf(backend: DeviceBackend, truth: tf.TensorInfo, logits: tf.TensorInfo): [number, number] {
  const pointer = backend.pointer(truth)
  return truth.shape.length < logits.shape.length ? [0, pointer] : [pointer, 0]
}

const crossEntropy: BackendKernel = ({ inputs, backend }) => {
  const { truth, logits } = inputs as Record<'truth' | 'logits', tf.TensorInfo>
  const pointer = backend.pointer(logits)
  const [targets, labels] = truthOf(backend, truth, logits)
  const out = backend.output(logits.shape.slice(0, -1), 'float32')
  backend.kernels.crossEntropy(pointer, targets, labels, backend.pointer(out), sizeOf(out.shape), logits.shape.at(-1)!)
  return out
}

const crossEntropyGrad: BackendKernel = ({ inputs, backend }) => {
  const { dy, truth, logits } = inputs as Record<'dy' | 'truth' | 'logits', tf.TensorInfo>
  const [slopes, pointer] = [backend.pointer(dy), backend.pointer(logits)]
  const [targets, labels] = truthOf(backend, truth, logits)
  const out = backend.output(logits.shape, 'float32')
  const [rows, size] = [sizeOf(dy.shape), logits.shape.at(-1)!]
  backend.kernels.crossEntropyGrad(slopes, pointer, targets, labels, backend.pointer(out), rows, size)
  return out
}

export const crossEntropyKernels = defineKernels({
  [crossEntropyKernelName]: crossEntropy,
  [crossEntropyGradKernelName]: crossEntropyGrad,
})
