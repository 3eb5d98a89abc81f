import * as tf from '@tensorflow/tfjs-core'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { CudaBackend } from '../../src/backends/cuda/cuda-backend.js'
import { attentionKernels } from '../../src/backends/cuda/kernels/attention.js'
import { partsOf } from '../../src/backends/cuda/kernels/heads.js'
import { attention, selectBackend } from '../../src/backends/index.js'
import { reference, type Sizes, testAttention } from '../unit/backends/attention.js'
import { noise } from '../unit/backends/gradients/numeric-gradient.js'
import { seeded, worstError } from '../unit/backends/wasm/kernels/arena.js'
import { useStandIn } from './stand-in.js'

const isThere = useStandIn('attention', true)
if (isThere) testAttention('cuda')

/** Operands, the gradient of the result, and what plain loops in float64 make of them. */
function prepared(sizes: Sizes, seed = 1) {
  const { batch, queries, keys, heads, dim, valueDim } = sizes
  const tensors = [
    noise([batch, queries, heads, dim], seed),
    noise([batch, keys, heads, dim], seed + 1),
    noise([batch, keys, heads, valueDim], seed + 2),
    noise([batch, queries, heads, valueDim], seed + 3),
  ] as const
  const expected = reference(
    tensors.map((tensor) => tensor.dataSync()),
    sizes,
    1 / Math.sqrt(dim),
  )
  return { tensors, expected }
}

/** Result and gradients by the backend in use. */
function computed([query, key, value, dy]: readonly tf.Tensor[], causal: boolean): Float32Array[] {
  const f = (...x: tf.Tensor[]) => attention(x[0]!, x[1]!, x[2]!, { causal })
  const out = [f(query!, key!, value!), ...tf.grads(f)([query!, key!, value!], dy!)]
  return out.map((tensor) => tensor.dataSync() as Float32Array)
}

describe.runIf(isThere)('attention on cuda', () => {
  let backend: CudaBackend
  beforeAll(async () => {
    await selectBackend({ prefer: ['cuda'] })
    backend = tf.backend() as CudaBackend
  })
  afterEach(() => tf.env().set('DCML_CUDA_PRODUCTS', 'float32'))

  it.each(Array.from({ length: 24 }, (_, i) => i))('agrees with plain loops for any shape, %i', (round) => {
    const random = seeded(round + 1)
    const sizes: Sizes = {
      batch: random.integer(1, 3),
      queries: random.integer(1, 40),
      keys: random.integer(1, 40),
      heads: random.integer(1, 4),
      // Every other one with heads that tables of addresses serve.
      dim: round % 2 ? 4 * random.integer(1, 4) : random.integer(1, 12),
      valueDim: round % 2 ? 4 * random.integer(1, 4) : random.integer(1, 12),
      causal: random.integer(0, 1) === 1,
    }
    const { tensors, expected } = prepared(sizes, 10 * round + 1)
    computed(tensors, sizes.causal).forEach((actual, i) => {
      expect(worstError(actual, expected[i]!), JSON.stringify(sizes)).toBeLessThan(5e-6)
    })
  })

  const table: Sizes = { batch: 3, queries: 9, keys: 11, heads: 2, dim: 8, valueDim: 16, causal: true }

  it.each([
    ['heads of several entries, by tables', table],
    ['heads that no table may hold', { ...table, dim: 6, valueDim: 5 }],
    ['rows longer than a warp takes', { ...table, batch: 1, keys: 1030, causal: false }],
  ] as const)('rounds to bfloat16 and no further: %s', (_, sizes) => {
    const { tensors, expected } = prepared(sizes)
    tf.env().set('DCML_CUDA_PRODUCTS', 'bfloat16')
    const bounds = boundsOf(tensors, sizes)
    computed(tensors, sizes.causal).forEach((actual, i) => {
      // Where nothing is rounded, float32 is left.
      const errors = Array.from(actual, (value, j) => Math.abs(value - expected[i]![j]!) / (bounds[i]![j]! + 1e-6))
      expect(Math.max(...errors)).toBeLessThan(1)
      // It is not float32 that was computed.
      expect(Math.max(...errors)).toBeGreaterThan(1e-3)
    })
  })

  it.each(['float32', 'bfloat16'])('does not depend on how many scores are computed at once, in %s', (precision) => {
    tf.env().set('DCML_CUDA_PRODUCTS', precision)
    const sizes: Sizes = { ...table, queries: 21 }
    const { batch, queries, keys, heads, dim, valueDim } = sizes
    const { tensors } = prepared(sizes)
    const [query, key, value, dy] = tensors.map((tensor) => backend.pointer(tensor)) as [number, number, number, number]
    const geometry = [batch, queries, keys, heads, dim, valueDim, 1, 0.4] as const
    // A row of scores is 64 bytes: all at once, two entries, one entry, one head, some rows, one row.
    const [all, ...others] = [2 ** 26, 2 * 2 * 21 * 64, 2 * 21 * 64, 21 * 64, 8 * 64, 1].map((bytes) => {
      const { device } = backend
      const kernels = attentionKernels(device, (...launch) => device.launch(...launch), backend.kernels.fill, bytes)
      const made = [tensors[3], tf.zeros([batch, heads, queries]), ...tensors.slice(0, 3)].map((like) =>
        backend.output(like!.shape, 'float32'),
      )
      const [out, sums, ...gradients] = made.map((info) => backend.pointer(info)) as [number, number, ...number[]]
      kernels.attention(query, key, value, out, sums, ...geometry)
      kernels.attentionGrad(dy, query, key, value, out, sums, ...(gradients as [number, number, number]), ...geometry)
      return made.map((info) => backend.readSync(info.dataId) as Float32Array)
    })
    for (const some of others)
      some.forEach((values, i) => {
        expect(worstError(values, all![i]!)).toBeLessThan(1e-6)
      })
  })

  it('holds no more scores than it may', () => {
    const parts = partsOf({ batch: 5, heads: 3, rows: 7 }, 10, 130)
    expect(parts).toHaveLength(15)
    expect(partsOf({ batch: 5, heads: 3, rows: 7 }, 10, 420)).toEqual([
      { entry: 0, entries: 2, head: 0, heads: 3, row: 0, rows: 7 },
      { entry: 2, entries: 2, head: 0, heads: 3, row: 0, rows: 7 },
      { entry: 4, entries: 1, head: 0, heads: 3, row: 0, rows: 7 },
    ])
    expect(partsOf({ batch: 1, heads: 2, rows: 7 }, 10, 45).map(({ head, row, rows }) => [head, row, rows])).toEqual([
      [0, 0, 4],
      [0, 4, 3],
      [1, 0, 4],
      [1, 4, 3],
    ])
  })

  it('takes no keys: the result is 0, and so are the gradients', () => {
    const [query, none, dy] = [noise([2, 3, 2, 4]), tf.zeros([2, 0, 2, 4]), noise([2, 3, 2, 4], 2)]
    const [out, dQuery, dKey] = computed([query, none, none, dy], false)
    expect(out!.every((value) => value === 0)).toBe(true)
    expect(dQuery!.every((value) => value === 0)).toBe(true)
    expect(dKey).toHaveLength(0)
  })
})

/** How far rounding of operands can take each element of the result and of the gradients, to first order. */
function boundsOf(tensors: readonly tf.Tensor[], { queries, keys, heads, batch, dim, valueDim, causal }: Sizes) {
  const [q, k, v, g] = tensors.map((tensor) => tensor.dataSync())
  const scale = 1 / Math.sqrt(dim)
  // The largest error of rounding, over the value: 8 significant bits. A product of two rounded numbers has two of it,
  // and squares of it, which 1.01 covers.
  const u = 2 ** -9 * 1.01
  const out = new Float64Array(g!.length)
  const [dQuery, dKey, dValue] = [q!, k!, v!].map(({ length }) => new Float64Array(length)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ]
  for (let b = 0; b < batch; b++)
    for (let h = 0; h < heads; h++)
      for (let i = 0; i < queries; i++) {
        const at = (token: number, tokens: number, size: number) => ((b * tokens + token) * heads + h) * size
        const seen = causal ? Math.min(keys, i + 1) : keys
        const pairs = Array.from({ length: seen }, (_, j) => {
          let [score, size, slope, slopeSize] = [0, 0, 0, 0]
          for (let d = 0; d < dim; d++) {
            const product = q![at(i, queries, dim) + d]! * k![at(j, keys, dim) + d]!
            score += product * scale
            size += Math.abs(product) * scale
          }
          for (let d = 0; d < valueDim; d++) {
            const product = g![at(i, queries, valueDim) + d]! * v![at(j, keys, valueDim) + d]!
            slope += product
            slopeSize += Math.abs(product)
          }
          return { score, scoreError: 2 * u * size, slope, slopeError: 2 * u * slopeSize }
        })
        const total = pairs.reduce((sum, { score }) => sum + Math.exp(score), 0)
        // A weight is off by as much as its score, and by as much as the others are on average, at most.
        const mostScoreError = Math.max(...pairs.map(({ scoreError }) => scoreError))
        const relative = Math.expm1(2 * mostScoreError)
        const weights = pairs.map(({ score }) => Math.exp(score) / total)
        const mean = pairs.reduce((sum, { slope }, j) => sum + weights[j]! * slope, 0)
        const meanError = pairs.reduce(
          (sum, { slope, slopeError }, j) =>
            sum + weights[j]! * (Math.abs(slope) * relative + slopeError * (1 + relative)),
          0,
        )
        pairs.forEach(({ slope, slopeError }, j) => {
          const weight = weights[j]!
          // Weights and gradients of scores are rounded before they are multiplied again by rounded numbers.
          for (let d = 0; d < valueDim; d++) {
            out[at(i, queries, valueDim) + d]! += weight * (relative + 2 * u) * Math.abs(v![at(j, keys, valueDim) + d]!)
            dValue[at(j, keys, valueDim) + d]! +=
              weight * (relative + 2 * u) * Math.abs(g![at(i, queries, valueDim) + d]!)
          }
          const size = weight * scale * Math.abs(slope - mean)
          const error = size * relative + weight * scale * (1 + relative) * (slopeError + meanError) + 2 * u * size
          for (let d = 0; d < dim; d++) {
            dQuery[at(i, queries, dim) + d]! += error * Math.abs(k![at(j, keys, dim) + d]!)
            dKey[at(j, keys, dim) + d]! += error * Math.abs(q![at(i, queries, dim) + d]!)
          }
        })
      }
  return [out, dQuery, dKey, dValue]
}
