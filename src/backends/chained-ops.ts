/**
 * Gives tensors their chained methods (`x.add(y)`), which tfjs-core leaves off when it is imported by itself.
 *
 * tfjs-layers calls a few of them inside its own layers (LSTM: `rMat.flatten()`). Node cannot import tfjs-core's own
 * registration by path, and a bundled copy of it would bring a second tfjs-core, so the table stands here.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'

/** Methods that pass the tensor as first argument to the tfjs function of the same name. */
const sameName = [
  ...['abs', 'acos', 'acosh', 'add', 'all', 'any', 'argMax', 'argMin', 'asin', 'asinh', 'atan', 'atan2', 'atanh'],
  ...['avgPool', 'batchNorm', 'batchToSpaceND', 'broadcastTo', 'cast', 'ceil', 'clipByValue', 'conv1d', 'conv2d'],
  ...['conv2dTranspose', 'cos', 'cosh', 'cumprod', 'cumsum', 'depthToSpace', 'depthwiseConv2d', 'dilation2d', 'div'],
  ...['divNoNan', 'dot', 'elu', 'equal', 'erf', 'euclideanNorm', 'exp', 'expandDims', 'expm1', 'fft', 'floor'],
  ...['floorDiv', 'gather', 'greater', 'greaterEqual', 'ifft', 'irfft', 'isFinite', 'isInf', 'isNaN', 'leakyRelu'],
  ...['less', 'lessEqual', 'localResponseNormalization', 'log', 'log1p', 'logSigmoid', 'logSoftmax', 'logSumExp'],
  ...['logicalAnd', 'logicalNot', 'logicalOr', 'logicalXor', 'matMul', 'max', 'maxPool', 'maximum', 'mean', 'min'],
  ...['minimum', 'mirrorPad', 'mod', 'mul', 'neg', 'norm', 'notEqual', 'oneHot', 'onesLike', 'pad', 'pool', 'pow'],
  ...['prelu', 'prod', 'reciprocal', 'relu', 'relu6', 'reshape', 'reverse'],
  ...['rfft', 'round', 'rsqrt', 'selu', 'separableConv2d', 'sigmoid', 'sign', 'sin', 'sinh', 'slice', 'softmax'],
  ...['softplus', 'spaceToBatchND', 'split', 'sqrt', 'square', 'squaredDifference', 'squeeze', 'step', 'stridedSlice'],
  ...['sub', 'sum', 'tan', 'tanh', 'tile', 'topk', 'transpose', 'unique', 'unsortedSegmentSum', 'unstack', 'zerosLike'],
] as const

type Method = (this: tf.Tensor, ...args: never[]) => unknown

/** Methods whose meaning differs from a tfjs function of the same name, or that have none. */
const ownForm: Record<string, Method> = {
  as1D() {
    return tf.reshape(this, [this.size])
  },
  as2D(...shape: [number, number]) {
    return tf.reshape(this, shape)
  },
  as3D(...shape: [number, number, number]) {
    return tf.reshape(this, shape)
  },
  as4D(...shape: [number, number, number, number]) {
    return tf.reshape(this, shape)
  },
  as5D(...shape: [number, number, number, number, number]) {
    return tf.reshape(this, shape)
  },
  asScalar() {
    tf.util.assert(this.size === 1, () => 'The array must have only 1 element.')
    return tf.reshape(this, [])
  },
  asType(dtype: tf.DataType) {
    return tf.cast(this, dtype)
  },
  concat(others: tf.Tensor | tf.Tensor[], axis?: number) {
    return tf.concat([this, ...(Array.isArray(others) ? others : [others])], axis)
  },
  flatten() {
    return tf.reshape(this, [this.size])
  },
  reshapeAs(other: tf.Tensor) {
    return tf.reshape(this, other.shape)
  },
  resizeBilinear(...args: [[number, number], boolean?, boolean?]) {
    return tf.image.resizeBilinear(this as tf.Tensor4D, ...args)
  },
  resizeNearestNeighbor(...args: [[number, number], boolean?, boolean?]) {
    return tf.image.resizeNearestNeighbor(this as tf.Tensor4D, ...args)
  },
  stack(others: tf.Tensor | tf.Tensor[], axis?: number) {
    return tf.stack([this, ...(Array.isArray(others) ? others : [others])], axis)
  },
  toBool() {
    return tf.cast(this, 'bool')
  },
  toFloat() {
    return tf.cast(this, 'float32')
  },
  toInt() {
    return tf.cast(this, 'int32')
  },
  where(condition: tf.Tensor, other: tf.Tensor) {
    return tf.where(condition, this, other)
  },
}

/** Adds the methods that are absent; those that tfjs or someone else registered stay as they are. */
export function registerChainedOps(): void {
  for (const name of sameName) {
    // biome-ignore lint/performance/noDynamicNamespaceImportAccess: a tensor has all of these methods, none is shaken off
    const op = tf[name] as (...args: unknown[]) => unknown
    define(name, function (this: tf.Tensor, ...args: unknown[]) {
      return op(this, ...args)
    })
  }
  for (const [name, method] of Object.entries(ownForm)) define(name, method)
}

function define(name: string, method: unknown): void {
  if (name in tf.Tensor.prototype) return
  // Writable, so that importing all of tfjs later may put its own method in place.
  Object.defineProperty(tf.Tensor.prototype, name, { value: method, writable: true, configurable: true })
}
