import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { CudaBackend } from '../../src/backends/cuda/cuda-backend.js'
import { createDeviceFloats, selectBackend } from '../../src/backends/index.js'
import { decodeHalfFloats, encodeHalfFloats } from '../../src/core/half-floats.js'
import { Dataset } from '../../src/data/index.js'
import { MultiHeadAttention } from '../../src/models/index.js'
import { sgd } from '../../src/optimizers/index.js'
import { Trainer } from '../../src/training/index.js'
import { noise } from '../unit/backends/gradients/numeric-gradient.js'
import { worstError } from '../unit/backends/wasm/kernels/arena.js'
import { useStandIn } from './stand-in.js'

const isThere = useStandIn('products')
const isStandIn = !process.env.DCML_TEST_GPU
/** Under the sanitizer no memory is kept for the next tensor, and no step is captured. */
const isSanitized = Boolean(process.env.DCML_TEST_SANITIZE)

const rounded = (values: ArrayLike<number>): Float32Array => {
  const halves = new Uint16Array(values.length)
  encodeHalfFloats('bfloat16', Float32Array.from(values), halves)
  const decoded = new Float32Array(values.length)
  decodeHalfFloats('bfloat16', halves, decoded)
  return decoded
}

/** `[m, k]` times `[k, n]`, in float64. */
function multiplied(a: ArrayLike<number>, b: ArrayLike<number>, m: number, n: number, k: number): number[] {
  return Array.from({ length: m * n }, (_, at) => {
    const [row, column] = [Math.floor(at / n), at % n]
    let sum = 0
    for (let i = 0; i < k; i++) sum += a[row * k + i]! * b[i * n + column]!
    return sum
  })
}

describe.runIf(isThere)('products on cuda', () => {
  let backend: CudaBackend
  beforeAll(async () => {
    await selectBackend({ prefer: ['cuda'] })
    backend = tf.backend() as CudaBackend
  })
  afterEach(() => {
    tf.env().set('DCML_CUDA_PRODUCTS', 'float32')
    vi.restoreAllMocks()
  })

  /** Counts the conversions from now on. */
  function countConversions(): () => number {
    const launch = vi.spyOn(backend.device, 'launch')
    return () => launch.mock.calls.filter(([, name]) => name === 'roundToBfloat16').length
  }

  describe('in bfloat16', () => {
    it.each([0, 1, 2, 3, 4, 5, 7, 8, 1023])('rounds %i operands to the nearest, ties to even', (length) => {
      // Beside the last one of each four: ties, the largest, what becomes infinite, no number.
      const special = [1 + 2 ** -8, 1 + 3 * 2 ** -8, 3.3895314e38, 3.4028235e38, -Infinity, Number.NaN, 1e-40]
      const values = Float32Array.from({ length }, (_, i) => (i % 4 === 3 ? Math.sin(i) : special[i % special.length]!))
      const lines = tf.tensor2d(values, [length, 1])
      tf.env().set('DCML_CUDA_PRODUCTS', 'bfloat16')
      const actual = tf.matMul(lines, tf.ones([1, 1])).dataSync()
      expect(actual).toEqual(rounded(values))
    })

    it('keeps a NaN whose lower bits alone say so', () => {
      const backendPointer = backend.output([1], 'float32')
      backend.device.upload(backend.pointer(backendPointer), Uint32Array.of(0x7f800001))
      const one = tf.ones([1, 1])
      const out = backend.output([1], 'float32')
      tf.env().set('DCML_CUDA_PRODUCTS', 'bfloat16')
      const pointers = [backend.pointer(backendPointer), backend.pointer(one), backend.pointer(out)] as const
      backend.kernels.matMul(...pointers, 0, 0, 1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 0)
      expect(backend.readSync(out.dataId)[0]).toBeNaN()
    })

    it.each([
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ])('multiplies rounded operands and adds up in float32, transposed %s and %s', (transposeA, transposeB) => {
      const [m, n, k] = [9, 13, 21]
      const [a, b] = [noise([m, k], 1) as tf.Tensor2D, noise([k, n], 2) as tf.Tensor2D]
      const expected = multiplied(rounded(a.dataSync()), rounded(b.dataSync()), m, n, k)
      tf.env().set('DCML_CUDA_PRODUCTS', 'bfloat16')
      const [left, right] = [transposeA ? tf.transpose(a) : a, transposeB ? tf.transpose(b) : b]
      expect(worstError(tf.matMul(left, right, transposeA, transposeB).dataSync(), expected)).toBeLessThan(1e-6)
    })

    it('shares one matrix among a batch', () => {
      const [a, b] = [noise([3, 4, 5], 1), noise([1, 5, 6], 2)]
      const [ra, rb] = [tf.tensor(rounded(a.dataSync()), a.shape), tf.tensor(rounded(b.dataSync()), b.shape)]
      const expected = tf.matMul(ra, rb).dataSync()
      tf.env().set('DCML_CUDA_PRODUCTS', 'bfloat16')
      expect(worstError(tf.matMul(a, b).dataSync(), expected)).toBeLessThan(1e-6)
    })

    it.each([
      ['3 x 3', 3, 'same'],
      ['1 x 1', 1, 'valid'],
    ] as const)('convolves rounded images and filters both ways, %s', (_, size, padding) => {
      const x = noise([2, 6, 5, 3], 1) as tf.Tensor4D
      const filter = noise([size, size, 3, 4], 2) as tf.Tensor4D
      const dy = noise([2, 6, 5, 4], 3)
      const both = (...of: tf.Tensor[]) => {
        const f = (...[image, taps]: tf.Tensor[]) => tf.conv2d(image as tf.Tensor4D, taps as tf.Tensor4D, 1, padding)
        return [f(of[0]!, of[1]!), ...tf.grads(f)([of[0]!, of[1]!], of[2]!)].map((tensor) => tensor.dataSync())
      }
      const expected = both(...[x, filter, dy].map((tensor) => tf.tensor(rounded(tensor.dataSync()), tensor.shape)))
      tf.env().set('DCML_CUDA_PRODUCTS', 'bfloat16')
      both(x, filter, dy).forEach((actual, i) => {
        expect(worstError(actual, expected[i]!)).toBeLessThan(1e-5)
      })
    })
  })

  describe('the copies of operands', () => {
    const square = (values: readonly number[]) => tf.tensor2d([...values], [2, 2])
    const product = (a: tf.Tensor, b: tf.Tensor) => {
      const out = tf.matMul(a as tf.Tensor2D, b as tf.Tensor2D)
      const values = [...out.dataSync()]
      out.dispose()
      return values
    }

    it('serve several products, until their operand ends', () => {
      tf.env().set('DCML_CUDA_PRODUCTS', 'bfloat16')
      backend.device.copies.clear()
      const before = backend.memory().numBytesInGPU
      const [a, b, c] = [square([1, 2, 3, 4]), square([1, 0, 0, 1]), square([2, 0, 0, 2])]
      const count = countConversions()
      expect(product(a, b)).toEqual([1, 2, 3, 4])
      expect(product(a, c)).toEqual([2, 4, 6, 8])
      expect(product(a, a)).toEqual([7, 10, 15, 22])
      expect(count()).toBe(3)
      tf.dispose([a, b, c])
      expect(backend.device.copies.isEmpty).toBe(true)
      expect(backend.memory().numBytesInGPU).toBe(before)
    })

    it('follow an operand that a kernel changes in place', () => {
      tf.env().set('DCML_CUDA_PRODUCTS', 'bfloat16')
      const [a, b] = [square([1, 2, 3, 4]), square([1, 0, 0, 1])]
      expect(product(a, b)).toEqual([1, 2, 3, 4])
      backend.kernels.addInto(backend.pointer(b), backend.pointer(a), 4, 4)
      expect(product(a, b)).toEqual([5, 2, 3, 8])
      // From the middle on.
      backend.kernels.fill(0, backend.pointer(a) + 8, 2, 16)
      expect(product(a, b)).toEqual([5, 2, 16, 16])
    })

    it('follow an operand that a product is written to', () => {
      tf.env().set('DCML_CUDA_PRODUCTS', 'bfloat16')
      const [a, b, c] = [square([1, 2, 3, 4]), square([1, 0, 0, 1]), square([2, 0, 0, 2])]
      expect(product(a, b)).toEqual([1, 2, 3, 4])
      const pointers = [c, c, a].map((tensor) => backend.pointer(tensor)) as [number, number, number]
      backend.kernels.matMul(...pointers, 0, 0, 2, 2, 2, 0, 0, 2, 2, 2, 1, 4, 4, 4)
      expect(product(a, b)).toEqual([4, 0, 0, 4])
    })

    it('are of as many elements as the product reads', () => {
      tf.env().set('DCML_CUDA_PRODUCTS', 'bfloat16')
      const [a, b] = [square([1, 2, 3, 4]), square([1, 0, 0, 1])]
      const out = tf.zeros([1, 2])
      const pointers = [a, b, out].map((tensor) => backend.pointer(tensor)) as [number, number, number]
      // The first row alone.
      backend.kernels.matMul(...pointers, 0, 0, 1, 2, 2, 0, 0, 2, 2, 2, 1, 2, 4, 2)
      expect([...out.dataSync()]).toEqual([1, 2])
      expect(product(a, b)).toEqual([1, 2, 3, 4])
    })

    it.skipIf(isSanitized)('follow what is uploaded, and memory that another tensor takes over', () => {
      tf.env().set('DCML_CUDA_PRODUCTS', 'bfloat16')
      const [a, b] = [square([1, 2, 3, 4]), square([1, 0, 0, 1])]
      expect(product(a, b)).toEqual([1, 2, 3, 4])
      backend.device.upload(backend.pointer(a), Float32Array.of(8, 8, 8, 8))
      expect(product(a, b)).toEqual([8, 8, 8, 8])
      const place = backend.pointer(a)
      a.dispose()
      const next = square([9, 10, 11, 12])
      expect(backend.pointer(next)).toBe(place)
      expect(product(next, b)).toEqual([9, 10, 11, 12])
    })

    it('are not kept of what JavaScript changes by itself', () => {
      tf.env().set('DCML_CUDA_PRODUCTS', 'bfloat16')
      const weights = createDeviceFloats(4)!
      weights.view().set([1, 2, 3, 4])
      const [w, b] = [weights.tensor(0, [2, 2]), square([1, 0, 0, 1])]
      const view = weights.view()
      expect(product(w, b)).toEqual([1, 2, 3, 4])
      view.fill(8)
      expect(product(w, b)).toEqual([8, 8, 8, 8])
      weights.dispose()
    })

    it('make room where there is no other', () => {
      tf.env().set('DCML_CUDA_PRODUCTS', 'bfloat16')
      const [a, b] = [square([1, 2, 3, 4]), square([1, 0, 0, 1])]
      product(a, b)
      expect(backend.device.copies.isEmpty).toBe(false)
      expect(() => backend.heap.allocate(2 ** 38, 'test', [2 ** 36])).toThrow(/no memory left/)
      expect(backend.device.copies.isEmpty).toBe(true)
      expect(product(a, b)).toEqual([1, 2, 3, 4])
    })
  })

  const rows = 24
  const data = Dataset.fromArrays({
    x: { data: Float32Array.from({ length: rows * 6 * 8 }, (_, i) => Math.sin(i * 1.7)), shape: [rows, 6, 8] },
    y: { data: Float32Array.from({ length: rows * 2 }, (_, i) => Math.cos(i)), shape: [rows, 2] },
  })
  /** Products, attention, and a convolution, whose operands are read several times. */
  const mixed = () =>
    tfl.sequential({
      layers: [
        tfl.layers.dense({ units: 16, activation: 'relu', inputShape: [6, 8] }),
        tfl.layers.layerNormalization({}),
        new MultiHeadAttention({ numHeads: 2, keyDim: 8, useCausalMask: true }),
        tfl.layers.layerNormalization({}),
        tfl.layers.conv1d({ filters: 8, kernelSize: 3, padding: 'same' }),
        tfl.layers.dropout({ rate: 0.25 }),
        tfl.layers.flatten(),
        tfl.layers.dense({ units: 2 }),
      ],
    })
  const dense = () =>
    tfl.sequential({
      layers: [
        tfl.layers.flatten({ inputShape: [6, 8] }),
        tfl.layers.dense({ units: 8 }),
        tfl.layers.activation({ activation: 'gelu' }),
        tfl.layers.layerNormalization({}),
        tfl.layers.dense({ units: 2 }),
      ],
    })

  /** Losses of all steps. */
  async function train(model: tfl.LayersModel, engine: 'eager' | 'captured', onStepEnd = () => {}): Promise<number[]> {
    const losses: number[] = []
    const trainer = new Trainer({
      model,
      loss: 'meanSquaredError',
      optimizer: sgd({ learningRate: 0.003 }),
      engine,
      seed: 3,
      callbacks: [
        {
          onStepEnd({ loss }) {
            losses.push(loss)
            onStepEnd()
          },
        },
      ],
    })
    const history = await trainer.fit(data, { epochs: 4, batchSize: 8 })
    expect(history.engine).toBe(engine)
    await trainer.close()
    model.dispose()
    return losses
  }

  it.each([
    ['float32', 1e-5],
    // What a step rounds differently on a GPU, because sums differ in their last bits, is off by 2^-11 or 2^-8.
    ['tf32', isStandIn ? 1e-5 : 1e-3],
    ['bfloat16', isStandIn ? 1e-5 : 8e-3],
  ] as const)('captured steps train as eager ones do in %s', async (precision, tolerance) => {
    tf.env().set('DCML_CUDA_PRODUCTS', precision)
    const started = () => {
      const model = mixed()
      tf.tidy(() => model.setWeights(model.getWeights().map(({ shape }, i) => tf.mul(noise(shape, i + 1), 0.2))))
      return model
    }
    const [captured, eager] = [await train(started(), 'captured'), await train(started(), 'eager')]
    expect(captured).toHaveLength(12)
    captured.forEach((loss, i) => {
      expect(Math.abs(loss - eager[i]!) / eager[i]!).toBeLessThan(tolerance)
    })
    expect(captured.at(-1)).toBeLessThan(captured[0]!)
  })

  it.skipIf(isSanitized)('a captured step converts each operand once, and none that its kernels make', async () => {
    tf.env().set('DCML_CUDA_PRODUCTS', 'bfloat16')
    const count = countConversions()
    const counts: number[] = []
    await train(dense(), 'captured', () => counts.push(count()))
    const ofStep = counts.map((all, i) => all - (counts[i - 1] ?? 0))
    // Five products of two operands: the batch and both kernels are converted. The normalized hidden layer and the
    // gradients are made by kernels that write their copies as well. Steps run call by call and are captured before they are launches of a
    // graph.
    expect(new Set(ofStep.slice(1))).toEqual(new Set([3, 0]))
    expect(ofStep.slice(5)).toEqual(Array(7).fill(0))
  })
})
