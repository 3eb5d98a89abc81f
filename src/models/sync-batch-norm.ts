/** Batch normalization with the statistics of all workers' rows. @module */

import * as tf from '@tensorflow/tfjs-core'
import type * as tfl from '@tensorflow/tfjs-layers'
import { ConfigError } from '../core/index.js'
import { type LayerNode, walkLayers } from './walk-layers.js'

/** Adds up numbers over all workers, in place, before it returns. */
export type ReduceNow = (values: Float64Array) => void

/** Layers whose statistics are shared. */
export interface SynchronizedBatchNorm {
  /** Begins a training step with rows of its own. */
  begin(): void
  /**
   * Takes part in a training step without rows of its own.
   *
   * @param rehearse - Begins and runs a step on some row, gradients included. Called if there was none before, to learn
   *   when layers add up what; none of it reaches other workers or the moving means.
   */
  join(rehearse: () => Promise<unknown>): Promise<void>
  /** Gives the layers their own statistics back. */
  restore(): void
}

/** What tfjs' layer holds and does not declare. */
interface BatchNormalization extends LayerNode<BatchNormalization> {
  axis: number
  momentum: number
  epsilon: number
  gamma: tfl.LayerVariable | null
  beta: tfl.LayerVariable | null
  movingMean: tfl.LayerVariable
  movingVariance: tfl.LayerVariable
  call(inputs: tf.Tensor | tf.Tensor[], kwargs: { training?: boolean }): tf.Tensor | tf.Tensor[]
}

/** One exchange of a layer with those of other workers. */
interface Exchange {
  layer: BatchNormalization
  backwards: boolean
}

/**
 * Lets the BatchNormalization layers of a model normalize by mean and variance over the rows of all workers, forwards
 * and backwards, in training steps that run eagerly. Moving means follow the same statistics.
 *
 * What layers add up depends on the model: one that is used twice does it twice, one below frozen weights only forwards.
 * So a worker without rows repeats what the last step with rows did.
 *
 * @param reduce - Every worker calls it equally often, in the same order.
 * @throws {ConfigError} if there is no such layer.
 * @see Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167
 */
export function synchronizeBatchNorm(model: tfl.LayersModel, reduce: ReduceNow): SynchronizedBatchNorm {
  const layers = walkLayers<BatchNormalization>(model).filter((node) => node.getClassName() === 'BatchNormalization')
  if (layers.length === 0)
    throw new ConfigError('The model has no BatchNormalization layer to synchronize.', {
      remedy: 'Leave syncBatchNorm out',
    })
  /** Of the last step with rows, if there was one. */
  let exchanges: Exchange[] | undefined
  let rehearsing = false
  const peers: Peers = {
    share(layer, own) {
      exchanges?.push({ layer, backwards: false })
      return rehearsing ? statisticsOf(own, () => {}) : shareStatistics(layer, own, reduce)
    },
    add(layer, sums) {
      exchanges?.push({ layer, backwards: true })
      if (!rehearsing) reduce(sums)
    },
  }
  const own = layers.map((layer) => layer.call)
  layers.forEach((layer, i) => {
    layer.call = (inputs, kwargs) => {
      if (!kwargs.training) return own[i]!.call(layer, inputs, kwargs)
      return tf.tidy(() => normalize(layer, Array.isArray(inputs) ? inputs[0]! : inputs, peers))
    }
  })
  return {
    begin() {
      exchanges = []
    },
    async join(rehearse) {
      if (!exchanges) {
        rehearsing = true
        await rehearse()
        rehearsing = false
      }
      for (const { layer, backwards } of exchanges ?? []) {
        const channels = layer.movingMean.shape[0]!
        if (backwards) reduce(new Float64Array(2 * channels))
        else shareStatistics(layer, nothing(channels), reduce)
      }
    },
    restore() {
      layers.forEach((layer, i) => {
        layer.call = own[i]!
      })
    },
  }
}

/** What a worker's rows add to the statistics of all. */
interface OwnRows {
  /** Per channel, and how many values each sums. */
  sums: Float64Array
  /** Sums of the squared distances from a mean, per channel. */
  squares(mean: Float64Array): Float64Array
}

const nothing = (channels: number): OwnRows => ({
  sums: new Float64Array(channels + 1),
  squares: () => new Float64Array(channels),
})

interface Statistics {
  mean: Float64Array
  variance: Float64Array
  total: number
}

/** What a layer's step exchanges with other workers. */
interface Peers {
  /** Forwards. */
  share(layer: BatchNormalization, own: OwnRows): Statistics
  /** Backwards. */
  add(layer: BatchNormalization, sums: Float64Array): void
}

/** Mean and variance over the rows of all workers, and the moving averages, which follow also where there are no rows. */
function shareStatistics(layer: BatchNormalization, own: OwnRows, reduce: ReduceNow): Statistics {
  const statistics = statisticsOf(own, reduce)
  moveAverage(layer.movingMean, statistics.mean, layer.momentum)
  moveAverage(layer.movingVariance, statistics.variance, layer.momentum)
  return statistics
}

function statisticsOf(own: OwnRows, reduce: ReduceNow): Statistics {
  reduce(own.sums)
  const channels = own.sums.length - 1
  const total = own.sums[channels]!
  const mean = own.sums.subarray(0, channels).map((sum) => sum / total)
  // From the mean of all: squares of large values would leave nothing of their difference.
  const squares = own.squares(mean)
  reduce(squares)
  return { mean, variance: squares.map((sum) => sum / total), total }
}

/** One layer's training step. @param x - Any shape; the layer's axis holds the channels. */
function normalize(layer: BatchNormalization, x: tf.Tensor, peers: Peers): tf.Tensor {
  const axis = (layer.axis + x.rank) % x.rank
  const axes = x.shape.map((_, i) => i).filter((i) => i !== axis)
  const shape = x.shape.map((size, i) => (i === axis ? size : 1))
  const channels = x.shape[axis]!
  const perChannel = (values: Float64Array) => tf.tensor(Float32Array.from(values), shape, 'float32')
  const sumsOf = (tensor: tf.Tensor) => tf.sum(tensor, axes).dataSync()

  const { mean, variance, total } = peers.share(layer, {
    sums: Float64Array.of(...sumsOf(x), x.size / channels),
    squares: (center) => Float64Array.from(sumsOf(tf.square(tf.sub(x, perChannel(center))))),
  })
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
      peers.add(layer, both)
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
