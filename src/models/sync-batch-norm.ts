/** Batch normalization with the statistics of all workers' rows. @module */

import * as tf from '@tensorflow/tfjs-core'
import type * as tfl from '@tensorflow/tfjs-layers'

/** Adds up numbers over all workers, in place, before it returns. */
export type ReduceNow = (values: Float64Array) => void

/** Layers whose statistics are shared. */
export interface SynchronizedBatchNorm {
  /** Takes part in a training step without rows of its own. */
  join(): void
  /** Gives the layers their own statistics back. */
  restore(): void
}

/** What tfjs' layer holds and does not declare. */
interface BatchNormalization {
  axis: number
  momentum: number
  epsilon: number
  gamma: tfl.LayerVariable | null
  beta: tfl.LayerVariable | null
  movingMean: tfl.LayerVariable
  movingVariance: tfl.LayerVariable
  call(inputs: tf.Tensor | tf.Tensor[], kwargs: { training?: boolean }): tf.Tensor | tf.Tensor[]
}

/**
 * Lets the BatchNormalization layers of a model normalize by mean and variance over the rows of all workers, forwards
 * and backwards, in training steps that run eagerly. Moving means follow the same statistics.
 *
 * @param reduce - Every worker calls it equally often, in the same order.
 * @see Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167
 */
export function synchronizeBatchNorm(model: tfl.LayersModel, reduce: ReduceNow): SynchronizedBatchNorm {
  const layers = model.layers.filter(
    (layer) => layer.getClassName() === 'BatchNormalization',
  ) as unknown as BatchNormalization[]
  /** In the order in which the last step came to them. */
  let order: BatchNormalization[] = [...layers]
  let met: BatchNormalization[] = []
  const own = layers.map((layer) => layer.call)
  layers.forEach((layer, i) => {
    layer.call = (inputs, kwargs) => {
      if (!kwargs.training) return own[i]!.call(layer, inputs, kwargs)
      if (met.includes(layer)) met = []
      met.push(layer)
      if (met.length === layers.length) order = met
      return tf.tidy(() => normalize(layer, Array.isArray(inputs) ? inputs[0]! : inputs, reduce))
    }
  })
  return {
    join() {
      for (const layer of order) {
        const channels = layer.movingMean.shape[0]!
        shareStatistics(
          layer,
          { sums: new Float64Array(channels + 1), squares: () => new Float64Array(channels) },
          reduce,
        )
      }
      for (const layer of [...order].reverse()) reduce(new Float64Array(2 * layer.movingMean.shape[0]!))
    },
    restore() {
      layers.forEach((layer, i) => {
        layer.call = own[i]!
      })
    },
  }
}

/**
 * Mean and variance over the rows of all workers, and the moving averages, which follow also where there are no rows.
 *
 * @param own - `sums`: per channel, and how many values each sums; `squares`: of the distances from a mean, per channel.
 */
function shareStatistics(
  layer: BatchNormalization,
  own: { sums: Float64Array; squares: (mean: Float64Array) => Float64Array },
  reduce: ReduceNow,
): { mean: Float64Array; variance: Float64Array; total: number } {
  reduce(own.sums)
  const channels = own.sums.length - 1
  const total = own.sums[channels]!
  const mean = own.sums.subarray(0, channels).map((sum) => sum / total)
  // From the mean of all: squares of large values would leave nothing of their difference.
  const squares = own.squares(mean)
  reduce(squares)
  const variance = squares.map((sum) => sum / total)
  moveAverage(layer.movingMean, mean, layer.momentum)
  moveAverage(layer.movingVariance, variance, layer.momentum)
  return { mean, variance, total }
}

/** One layer's training step. @param x - Any shape; the layer's axis holds the channels. */
function normalize(layer: BatchNormalization, x: tf.Tensor, reduce: ReduceNow): tf.Tensor {
  const axis = (layer.axis + x.rank) % x.rank
  const axes = x.shape.map((_, i) => i).filter((i) => i !== axis)
  const shape = x.shape.map((size, i) => (i === axis ? size : 1))
  const channels = x.shape[axis]!
  const perChannel = (values: Float64Array) => tf.tensor(Float32Array.from(values), shape, 'float32')
  const sumsOf = (tensor: tf.Tensor) => tf.sum(tensor, axes).dataSync()

  const { mean, variance, total } = shareStatistics(
    layer,
    {
      sums: Float64Array.of(...sumsOf(x), x.size / channels),
      squares: (center) => Float64Array.from(sumsOf(tf.square(tf.sub(x, perChannel(center))))),
    },
    reduce,
  )
  const inverse = perChannel(variance.map((value) => 1 / Math.sqrt(value + layer.epsilon)))
  const gamma = layer.gamma ? layer.gamma.read() : tf.ones([channels])
  const beta = layer.beta ? layer.beta.read() : tf.zeros([channels])
  const means = perChannel(mean)
  const operation = tf.customGrad((...values) => {
    const [input, scale, shift, save] = values as [tf.Tensor, tf.Tensor, tf.Tensor, tf.GradSaveFunc]
    const normalized = tf.mul(tf.sub(input, means), inverse)
    save([normalized, tf.mul(tf.reshape(scale, shape), inverse)])
    const value = tf.add(tf.mul(normalized, tf.reshape(scale, shape)), tf.reshape(shift, shape))
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const [hat, factor] = saved as [tf.Tensor, tf.Tensor]
      const shiftGradient = tf.sum(dy, axes)
      const scaleGradient = tf.sum(tf.mul(dy, hat), axes)
      const both = Float64Array.of(...shiftGradient.dataSync(), ...scaleGradient.dataSync())
      reduce(both)
      const average = both.map((sum) => sum / total)
      const along = tf.mul(hat, perChannel(average.subarray(channels)))
      const common = tf.add(perChannel(average.subarray(0, channels)), along)
      return [tf.mul(factor, tf.sub(dy, common)), scaleGradient, shiftGradient]
    }
    return { value, gradFunc }
  })
  return operation(x, gamma, beta)
}

function moveAverage(variable: tfl.LayerVariable, value: Float64Array, momentum: number): void {
  const old = variable.read().dataSync()
  const moved = Float32Array.from(value, (now, i) => momentum * old[i]! + (1 - momentum) * now)
  variable.write(tf.tensor(moved, variable.shape as number[], 'float32'))
}
