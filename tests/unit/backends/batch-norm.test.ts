import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { selectBackend } from '../../../src/backends/index.js'
import { expectGradient, noise } from './gradients/numeric-gradient.js'
import { numericGradients } from './numeric64.js'
import { nativeBackends } from './tested-backends.js'
import { worstError } from './wasm/kernels/arena.js'

const epsilon = 1e-3

/** In float64: the result and the moments of each channel. */
function normalized([x, scale, offset]: ArrayLike<number>[], channels: number) {
  const rows = x!.length / channels
  const column = (c: number) => Array.from({ length: rows }, (_, r) => x![r * channels + c]!)
  const mean = Array.from({ length: channels }, (_, c) => column(c).reduce((sum, value) => sum + value, 0) / rows)
  const variance = mean.map((m, c) => column(c).reduce((sum, value) => sum + (value - m) ** 2, 0) / rows)
  const y = Array.from(x!, (value, i) => {
    const c = i % channels
    return ((value - mean[c]!) / Math.sqrt(variance[c]! + epsilon)) * scale![c]! + offset![c]!
  })
  return { y, mean, variance }
}

/** A layer with weights that are not those it starts with. */
function layerOf(shape: number[]) {
  const layer = tfl.layers.batchNormalization({ epsilon, momentum: 0.9 })
  layer.build(shape)
  const channels = shape.at(-1)!
  layer.setWeights([1, 2, 3, 4].map((seed) => (seed === 4 ? tf.ones([channels]) : noise([channels], seed))))
  return layer
}

describe.each(nativeBackends())('batch normalization on %s', (backend) => {
  beforeAll(async () => {
    await selectBackend({ prefer: [backend] })
  })

  it.each([[[1, 3]], [[3, 1]], [[6, 5]], [[2, 3, 3, 4]], [[5, 2, 1, 7]], [[70, 33]]])(
    'one kernel each way, in float64, %j',
    async (shape) => {
      const layer = layerOf(shape)
      const channels = shape.at(-1)!
      const x = tf.add(noise(shape, 5), 3)
      const dy = noise(shape, 6)
      const before = layer.getWeights().map((tensor) => tensor.dataSync())
      const f = (input: tf.Tensor) => layer.apply(input, { training: true }) as tf.Tensor
      const kernels = (await tf.profile(() => f(x))).kernelNames
      expect(kernels).toContain('DcmlBatchNormTraining')
      expect(kernels).not.toContain('Mean')

      layer.setWeights(before.map((values) => tf.tensor(values)))
      const arrays = [x.dataSync(), before[0]!, before[1]!]
      const { y, mean, variance } = normalized(arrays, channels)
      expect(worstError(f(x).dataSync(), y)).toBeLessThan(1e-5)
      const moved = layer.getWeights().map((tensor) => tensor.dataSync())
      for (const [i, moment] of [
        [2, mean],
        [3, variance],
      ] as const)
        expect(
          worstError(
            moved[i]!,
            moment.map((value, c) => 0.9 * before[i]![c]! + 0.1 * value),
          ),
        ).toBeLessThan(1e-6)

      const variables = layer.trainableWeights.map((weight) => weight.read() as tf.Variable)
      const { grads } = tf.variableGrads(() => tf.sum(tf.mul(f(x), dy)) as tf.Scalar, variables)
      const actual = [tf.grad(f)(x, dy), ...variables.map((variable) => grads[variable.name]!)]
      const weights = dy.dataSync()
      const loss = (all: Float64Array[]) =>
        normalized(all, channels).y.reduce((sum, value, i) => sum + value * weights[i]!, 0)
      const expected = numericGradients(loss, arrays)
      actual.forEach((tensor, i) => {
        expect(worstError(tensor.dataSync(), expected[i]!)).toBeLessThan(2e-5)
      })
    },
  )

  it('leaves other axes, prediction, and gradients of gradients to tfjs', async () => {
    const x = noise([2, 3, 4], 7)
    const other = tfl.layers.batchNormalization({ axis: 1 })
    const kernelsOf = async (run: () => tf.Tensor) => (await tf.profile(run)).kernelNames
    expect(await kernelsOf(() => other.apply(x, { training: true }) as tf.Tensor)).not.toContain(
      'DcmlBatchNormTraining',
    )
    const layer = layerOf([2, 3, 4])
    expect(await kernelsOf(() => layer.apply(x) as tf.Tensor)).not.toContain('DcmlBatchNormTraining')
    const slope = (y: tf.Tensor) =>
      tf.grad((z) => tf.sum(tf.square(tf.mul(layer.apply(z, { training: true }) as tf.Tensor, z))))(y)
    await expectGradient((z) => slope(z!), [noise([2, 2, 4], 8)], { step: 3e-3, tolerance: 2e-2 })
  })
})
