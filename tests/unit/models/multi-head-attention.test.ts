import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { selectBackend } from '../../../src/backends/index.js'
import { ConfigError, ShapeError } from '../../../src/core/index.js'
import { loadBundle, MultiHeadAttention, saveBundle } from '../../../src/models/index.js'
import { memory } from '../../../src/storage/index.js'
import { noise } from '../backends/gradients/numeric-gradient.js'
import { worstError } from '../backends/wasm/kernels/arena.js'

beforeAll(async () => {
  await selectBackend({ prefer: ['wasm'] })
})

/** By the equations, with weights in Keras' order and one matrix product after the other. */
function reference([query, value, key]: tf.Tensor[], weights: tf.Tensor[], isCausal: boolean): tf.Tensor {
  const [wq, bq, wk, bk, wv, bv, wo, bo] = weights
  const project = (x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor) =>
    tf.add(tf.einsum('btd,dhk->bhtk', x, kernel), tf.expandDims(bias, 1))
  const [q, k, v] = [project(query!, wq!, bq!), project(key!, wk!, bk!), project(value!, wv!, bv!)]
  const scores = tf.div(tf.matMul(q, k, false, true), Math.sqrt(q.shape[3]!))
  const [rows, columns] = [q.shape[2]!, k.shape[2]!]
  const hidden = tf.tensor(
    Array.from({ length: rows * columns }, (_, i) => (isCausal && i % columns > Math.floor(i / columns) ? -1e9 : 0)),
    [rows, columns],
  )
  const mixed = tf.matMul(tf.softmax(tf.add(scores, hidden)), v)
  return tf.add(tf.einsum('bhtk,hkd->btd', mixed, wo!), bo!)
}

/** Puts random weights, biases too, in a layer that is built. */
function randomize(layer: tfl.layers.Layer): tf.Tensor[] {
  const weights = layer.getWeights().map(({ shape }, i) => noise(shape, 10 + i))
  layer.setWeights(weights)
  return weights
}

describe('MultiHeadAttention', () => {
  it.each([false, true])('of one sequence to itself, causal %s', (useCausalMask) => {
    const layer = new MultiHeadAttention({ numHeads: 2, keyDim: 3, valueDim: 5, useCausalMask })
    const x = noise([2, 4, 6])
    layer.apply(x)
    const weights = randomize(layer)
    expect(weights.map(({ shape }) => shape)).toEqual([
      ...[
        [6, 2, 3],
        [2, 3],
        [6, 2, 3],
        [2, 3],
        [6, 2, 5],
        [2, 5],
      ],
      ...[[2, 5, 6], [6]],
    ])
    const expected = reference([x, x, x], weights, useCausalMask)
    expect(worstError((layer.apply(x) as tf.Tensor).dataSync(), expected.dataSync())).toBeLessThan(2e-6)
  })

  it('of one sequence to another of other width', () => {
    const layer = new MultiHeadAttention({ numHeads: 3, keyDim: 2 })
    const [query, value, key] = [noise([2, 3, 4], 1), noise([2, 5, 7], 2), noise([2, 5, 6], 3)]
    expect((layer.apply([query, value, key]) as tf.Tensor).shape).toEqual([2, 3, 4])
    const weights = randomize(layer)
    const expected = reference([query, value, key], weights, false)
    expect(worstError((layer.apply([query, value, key]) as tf.Tensor).dataSync(), expected.dataSync())).toBeLessThan(
      2e-6,
    )
  })

  it('starts as the matrices that its kernels are', () => {
    const layer = new MultiHeadAttention({ numHeads: 8, keyDim: 4, useBias: false })
    layer.apply(noise([1, 2, 32]))
    expect(layer.getWeights()).toHaveLength(4)
    for (const kernel of layer.getWeights()) {
      const largest = Math.max(...kernel.dataSync().map(Math.abs))
      expect(largest).toBeLessThanOrEqual(Math.sqrt(6 / 64))
      expect(largest).toBeGreaterThan(0.9 * Math.sqrt(6 / 64))
    }
  })

  it('is saved and read with a model', async () => {
    const input = tfl.input({ shape: [4, 6] })
    const attended = new MultiHeadAttention({ numHeads: 2, keyDim: 3, useCausalMask: true }).apply(input)
    const output = tfl.layers.globalAveragePooling1d({}).apply(attended) as tfl.SymbolicTensor
    const model = tfl.model({ inputs: input, outputs: output })
    const store = memory()
    await saveBundle(store, { model })
    const { model: read } = await loadBundle(store)
    const x = noise([3, 4, 6])
    expect((read.predict(x) as tf.Tensor).dataSync()).toEqual((model.predict(x) as tf.Tensor).dataSync())
  })

  it('refuses sizes and inputs that are none', () => {
    expect(() => new MultiHeadAttention({ numHeads: 0, keyDim: 3 })).toThrow(ConfigError)
    expect(() => new MultiHeadAttention({ numHeads: 1, keyDim: 3 }).apply(noise([2, 3]))).toThrow(ShapeError)
  })
})
