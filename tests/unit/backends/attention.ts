import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { attention, type BackendName, selectBackend } from '../../../src/backends/index.js'
import { expectGradient, noise } from './gradients/numeric-gradient.js'
import { worstError } from './wasm/kernels/arena.js'

/** Of an attention. */
export interface Sizes {
  batch: number
  queries: number
  keys: number
  heads: number
  dim: number
  valueDim: number
  causal: boolean
}

/** Result and gradients of sum(result * dy), as plain loops over each query. */
export function reference([q, k, v, dy]: ArrayLike<number>[], sizes: Sizes, scale: number) {
  const { batch, queries, keys, heads, dim, valueDim, causal } = sizes
  const result = new Float64Array(batch * queries * heads * valueDim)
  const gradients = [q!, k!, v!].map(({ length }) => new Float64Array(length))
  for (let b = 0; b < batch; b++)
    for (let h = 0; h < heads; h++)
      for (let i = 0; i < queries; i++) {
        const at = (token: number, tokens: number, size: number) => ((b * tokens + token) * heads + h) * size
        const seen = causal ? Math.min(keys, i + 1) : keys
        const scores = Array.from({ length: seen }, (_, j) => {
          let sum = 0
          for (let d = 0; d < dim; d++) sum += q![at(i, queries, dim) + d]! * k![at(j, keys, dim) + d]!
          return sum * scale
        })
        const largest = Math.max(...scores)
        const powers = scores.map((score) => Math.exp(score - largest))
        const total = powers.reduce((sum, power) => sum + power, 0)
        const weights = powers.map((power) => power / total)
        const out = at(i, queries, valueDim)
        const slopes = weights.map((weight, j) => {
          let slope = 0
          for (let d = 0; d < valueDim; d++) {
            const value = v![at(j, keys, valueDim) + d]!
            result[out + d]! += weight * value
            gradients[2]![at(j, keys, valueDim) + d]! += weight * dy![out + d]!
            slope += value * dy![out + d]!
          }
          return slope
        })
        const mean = slopes.reduce((sum, slope, j) => sum + slope * weights[j]!, 0)
        weights.forEach((weight, j) => {
          const dScore = weight * (slopes[j]! - mean) * scale
          for (let d = 0; d < dim; d++) {
            gradients[0]![at(i, queries, dim) + d]! += dScore * k![at(j, keys, dim) + d]!
            gradients[1]![at(j, keys, dim) + d]! += dScore * q![at(i, queries, dim) + d]!
          }
        })
      }
  return [result, ...gradients]
}

const sizes: Sizes[] = [
  { batch: 1, queries: 1, keys: 1, heads: 1, dim: 1, valueDim: 1, causal: false },
  { batch: 1, queries: 1, keys: 1, heads: 2, dim: 3, valueDim: 5, causal: true },
  { batch: 2, queries: 3, keys: 5, heads: 2, dim: 7, valueDim: 7, causal: false },
  { batch: 2, queries: 5, keys: 3, heads: 3, dim: 4, valueDim: 2, causal: true },
  { batch: 1, queries: 64, keys: 64, heads: 2, dim: 8, valueDim: 8, causal: true },
  { batch: 1, queries: 65, keys: 130, heads: 1, dim: 9, valueDim: 6, causal: false },
  { batch: 2, queries: 131, keys: 67, heads: 2, dim: 5, valueDim: 12, causal: true },
  { batch: 1, queries: 70, keys: 150, heads: 1, dim: 33, valueDim: 8, causal: true },
]

/** Compares attention on a backend with plain loops in float64, both ways. */
export function testAttention(name: BackendName): void {
  describe(`attention on ${name}`, () => {
    beforeAll(async () => {
      await selectBackend({ prefer: [name] })
    })

    it.each(sizes)('results and gradients in float64, %j', async (size) => {
      const { batch, queries, keys, heads, dim, valueDim, causal } = size
      const query = noise([batch, queries, heads, dim], 1)
      const key = noise([batch, keys, heads, dim], 2)
      const value = noise([batch, keys, heads, valueDim], 3)
      const dy = noise([batch, queries, heads, valueDim], 4)
      const operands = [query, key, value, dy].map((tensor) => tensor.dataSync())
      const [result, ...gradients] = reference(operands, size, 1 / Math.sqrt(dim))
      const f = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) => attention(q, k, v, { causal })
      expect(worstError(f(query, key, value).dataSync(), result!)).toBeLessThan(2e-6)
      const actual = tf.grads(f as (...x: tf.Tensor[]) => tf.Tensor)([query, key, value], dy)
      actual.forEach((tensor, i) => {
        expect(worstError(tensor.dataSync(), gradients[i]!)).toBeLessThan(5e-6)
      })
    })

    it('takes scores far from 0, and another scale', () => {
      const size = { batch: 1, queries: 9, keys: 80, heads: 1, dim: 4, valueDim: 3, causal: false }
      const query = tf.mul(noise([1, 9, 1, 4], 1), 60)
      const [key, value, dy] = [noise([1, 80, 1, 4], 2), noise([1, 80, 1, 3], 3), noise([1, 9, 1, 3], 4)]
      const operands = [query, key, value, dy].map((tensor) => tensor.dataSync())
      const [result] = reference(operands, size, 0.3)
      expect(worstError(attention(query, key, value, { scale: 0.3 }).dataSync(), result!)).toBeLessThan(2e-5)
    })

    it('takes no rows', () => {
      const none = tf.zeros([0, 4, 2, 3])
      expect(attention(none, none, none).shape).toEqual([0, 4, 2, 3])
    })

    it('has gradients of gradients', async () => {
      const value = noise([1, 3, 1, 2], 3)
      const slope = (x: tf.Tensor) => tf.grad((z) => tf.sum(tf.square(attention(z, z, value))))(x)
      await expectGradient((z) => slope(z!), [noise([1, 3, 1, 2], 8)], { step: 3e-3, tolerance: 2e-2 })
    })
  })
}
