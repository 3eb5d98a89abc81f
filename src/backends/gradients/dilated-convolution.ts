/**
 * Gradients of conv2d and depthwise conv2d, dilated ones too; tfjs' own throw when a dilation is over 1.
 *
 * A convolution with dilation d equals one with a filter that has d - 1 zeros between its taps. So the gradients are
 * those of the wide filter; of its gradient only the real taps are kept.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'

type Pair = [number, number]

interface ConvolutionAttributes {
  strides: Pair
  pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding
  dataFormat: 'NHWC' | 'NCHW'
  dilations: Pair | number | null
  dimRoundingMode?: 'floor' | 'round' | 'ceil'
}

type RunKernel = (name: string, inputs: Record<string, tf.Tensor>, attrs: Record<string, unknown>) => tf.Tensor
const run: RunKernel = (name, inputs, attrs) =>
  tf.engine().runKernel(name, inputs, attrs as unknown as tf.NamedAttrMap) as tf.Tensor

/** The gradient of `Conv2D`: x `[batch, height, width, in]`, filter `[height, width, in, out]`. */
export const conv2dGradient: tf.GradConfig = {
  kernelName: 'Conv2D',
  inputsToSave: ['x', 'filter'],
  gradFunc: (dy, saved, attrs) => {
    const [x, filter] = saved as [tf.Tensor4D, tf.Tensor4D]
    const { strides, pad, dataFormat, dimRoundingMode, ...given } = attrs as unknown as ConvolutionAttributes
    const dilations = pairOf(given.dilations)
    const common = { strides, pad, dataFormat, dimRoundingMode }
    const gradient = dy as tf.Tensor
    return {
      x: () =>
        run(
          'Conv2DBackpropInput',
          { dy: gradient, filter: spreadTaps(filter, dilations) },
          { ...common, inputShape: x.shape },
        ),
      filter: () =>
        gatherTaps(
          run('Conv2DBackpropFilter', { x, dy: gradient }, { ...common, filterShape: spreadShape(filter, dilations) }),
          filter.shape,
          dilations,
        ),
    }
  },
}

/** The gradient of `DepthwiseConv2dNative`: filter `[height, width, in, multiplier]`. */
export const depthwiseConv2dGradient: tf.GradConfig = {
  kernelName: 'DepthwiseConv2dNative',
  inputsToSave: ['x', 'filter'],
  gradFunc: (dy, saved, attrs) => {
    const [x, filter] = saved as [tf.Tensor4D, tf.Tensor4D]
    const { strides, pad, dimRoundingMode, ...given } = attrs as unknown as ConvolutionAttributes
    const dilations = pairOf(given.dilations)
    const common = { strides, pad, dilations: [1, 1], dimRoundingMode }
    const gradient = dy as tf.Tensor
    return {
      x: () =>
        run(
          'DepthwiseConv2dNativeBackpropInput',
          { dy: gradient, filter: spreadTaps(filter, dilations) },
          { ...common, inputShape: x.shape },
        ),
      filter: () =>
        gatherTaps(
          run(
            'DepthwiseConv2dNativeBackpropFilter',
            { x, dy: gradient },
            { ...common, filterShape: spreadShape(filter, dilations) },
          ),
          filter.shape,
          dilations,
        ),
    }
  },
}

const pairOf = (dilations: Pair | number | null): Pair =>
  Array.isArray(dilations) ? dilations : [dilations ?? 1, dilations ?? 1]
const isDense = ([vertical, horizontal]: Pair) => vertical === 1 && horizontal === 1

function spreadShape(filter: tf.Tensor4D, [vertical, horizontal]: Pair): number[] {
  const [height, width, inputs, outputs] = filter.shape
  return [(height - 1) * vertical + 1, (width - 1) * horizontal + 1, inputs, outputs]
}

/** The filter with `dilation - 1` zeros between neighbouring taps. */
function spreadTaps(filter: tf.Tensor4D, dilations: Pair): tf.Tensor4D {
  if (isDense(dilations)) return filter
  const [vertical, horizontal] = dilations
  const [height, width, inputs, outputs] = filter.shape
  const apart = tf.pad(tf.reshape(filter, [height, 1, width, 1, inputs * outputs]), [
    [0, 0],
    [0, vertical - 1],
    [0, 0],
    [0, horizontal - 1],
    [0, 0],
  ])
  const spread = spreadShape(filter, dilations)
  const whole = tf.reshape(apart, [height * vertical, width * horizontal, inputs, outputs])
  return tf.slice(whole, [0, 0, 0, 0], spread) as tf.Tensor4D
}

/** The inverse of `spreadTaps`: what stands at the real taps. */
function gatherTaps(wide: tf.Tensor, filterShape: number[], dilations: Pair): tf.Tensor {
  if (isDense(dilations)) return wide
  const [vertical, horizontal] = dilations
  const [height, width, inputs, outputs] = filterShape as [number, number, number, number]
  const padded = tf.pad(wide, [
    [0, vertical - 1],
    [0, horizontal - 1],
    [0, 0],
    [0, 0],
  ])
  const apart = tf.reshape(padded, [height, vertical, width, horizontal, inputs * outputs])
  const taps = tf.slice(apart, [0, 0, 0, 0, 0], [height, 1, width, 1, inputs * outputs])
  return tf.reshape(taps, filterShape)
}
