/**
 * Random layers whose numbers depend on seed, step and row alone, not on how rows are split over workers.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import type * as tfl from '@tensorflow/tfjs-layers'
import { randomTensor } from '../backends/index.js'
import { type LayerNode, walkLayers } from './walk-layers.js'

/** Which numbers the next forward pass draws. */
interface RandomContext {
  seed: number
  /** Number of the update. */
  step: number
  /** Index of the first row in the global batch. */
  firstRow: number
}

/** A model whose random layers take their numbers from dcml. */
export interface SeededLayers {
  setContext(context: RandomContext): void
  /** Gives the layers their own numbers back. */
  restore(): void
}

// What tfjs keeps on its layers but does not declare.
interface RandomLayer extends LayerNode<RandomLayer> {
  rate?: number
  stddev?: number
  noiseShape?: number[]
  call(inputs: tf.Tensor | tf.Tensor[], kwargs: { training?: boolean }): tf.Tensor | tf.Tensor[]
  dropoutFunc?: unknown
}

/**
 * Replaces the random source of Dropout, SpatialDropout1D, AlphaDropout, GaussianNoise, GaussianDropout and recurrent
 * dropout. Random numbers that a custom layer draws by itself stay tfjs' own.
 */
export function seedRandomLayers(model: tfl.LayersModel): SeededLayers {
  let context: RandomContext = { seed: 0, step: 0, firstRow: 0 }
  let uses: number[] = []
  const undo: (() => void)[] = []
  let streams = 0
  const draw = (stream: number, kind: 'normal' | 'dropoutMask', shape: number[], rate?: number) => {
    // A layer that is used several times in a pass draws new numbers each time.
    const use = uses[stream] ?? 0
    uses[stream] = use + 1
    const options = { kind, shape, ...context, stream: stream * 4096 + use }
    return randomTensor(rate === undefined ? options : { ...options, rate })
  }
  const seed = (layer: RandomLayer) => {
    if ('dropoutFunc' in layer) {
      const stream = streams++
      const before = layer.dropoutFunc
      layer.dropoutFunc = (x: tf.Tensor, rate: number) => tf.mul(x, draw(stream, 'dropoutMask', x.shape, rate))
      undo.push(() => {
        layer.dropoutFunc = before
      })
      return
    }
    const apply = randomCall(layer)
    if (!apply) return
    const stream = streams++
    const before = layer.call
    layer.call = function (this: RandomLayer, inputs, kwargs) {
      if (!kwargs.training) return before.call(this, inputs, kwargs)
      const x = Array.isArray(inputs) ? inputs[0]! : inputs
      return apply(x, (kind, shape, rate) => draw(stream, kind, shape, rate))
    }
    undo.push(() => {
      layer.call = before
    })
  }
  for (const layer of walkLayers<RandomLayer>(model)) seed(layer)
  return {
    setContext(next) {
      context = next
      uses = []
    },
    restore() {
      for (const put of undo.splice(0)) put()
    },
  }
}

type Draw = (kind: 'normal' | 'dropoutMask', shape: number[], rate?: number) => tf.Tensor

function randomCall(layer: RandomLayer): ((x: tf.Tensor, draw: Draw) => tf.Tensor) | undefined {
  const { rate = 0, stddev = 0 } = layer
  switch (layer.getClassName()) {
    case 'Dropout':
      return (x, draw) => (rate === 0 ? tf.clone(x) : tf.mul(x, draw('dropoutMask', noiseShape(layer, x), rate)))
    case 'AlphaDropout':
      return (x, draw) =>
        rate > 0 && rate < 1 ? alphaDropout(x, draw('dropoutMask', noiseShape(layer, x), rate), rate) : tf.clone(x)
    case 'SpatialDropout1D':
      return (x, draw) => tf.mul(x, draw('dropoutMask', [x.shape[0]!, 1, x.shape[2]!], rate))
    case 'GaussianNoise':
      return (x, draw) => tf.add(x, tf.mul(draw('normal', x.shape), stddev))
    case 'GaussianDropout':
      return (x, draw) =>
        rate === 0 ? tf.clone(x) : tf.mul(x, tf.add(1, tf.mul(draw('normal', x.shape), Math.sqrt(rate / (1 - rate)))))
    default:
      return undefined
  }
}

function noiseShape(layer: RandomLayer, x: tf.Tensor): number[] {
  return layer.noiseShape?.map((length, axis) => length ?? x.shape[axis]!) ?? x.shape
}

/** What SELU tends to for very negative inputs: -scale * alpha. */
const SELU_FLOOR = -1.0507009873554805 * 1.6732632423543772

/**
 * Sets dropped units to SELU's floor instead of 0, then shifts and scales so that mean 0 and variance 1 stay. tfjs
 * itself has the sign of the floor wrong, and its layer moves the mean.
 *
 * @param mask - 0 with probability `rate`, else `1 / (1 - rate)`; the shape of `x` or one that spreads to it.
 * @see Klambauer et al. 2017, section 3, https://arxiv.org/abs/1706.02515
 */
function alphaDropout(x: tf.Tensor, mask: tf.Tensor, rate: number): tf.Tensor {
  const scale = 1 / Math.sqrt((1 - rate) * (1 + rate * SELU_FLOOR ** 2))
  const kept = tf.mul(tf.mul(tf.sub(x, SELU_FLOOR), mask), scale * (1 - rate))
  return tf.add(kept, scale * SELU_FLOOR * (1 - rate))
}
