import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { selectBackend } from '../../../src/backends/index.js'
import { expectGradient, noise } from './gradients/numeric-gradient.js'
import { nativeBackends, testedBackends } from './tested-backends.js'
import { worstError } from './wasm/kernels/arena.js'

const epsilon = 1e-3

/** In float64; scale and offset of a layer that is as it was built are 1 and 0. */
function normalized(values: ArrayLike<number>, size: number): number[] {
  return Array.from(values, (value, i) => {
    const start = i - (i % size)
    const row = Array.from({ length: size }, (_, c) => values[start + c]!)
    const mean = row.reduce((sum, x) => sum + x, 0) / size
    const variance = row.reduce((sum, x) => sum + (x - mean) ** 2, 0) / size
    return (value - mean) / Math.sqrt(variance + epsilon)
  })
}

describe.each(nativeBackends())('layer normalization on %s', (backend) => {
  beforeAll(async () => {
    await selectBackend({ prefer: [backend] })
  })

  it.each([[[5, 1]], [[3, 2]], [[4, 7]], [[2, 3, 8]], [[2, 2, 3, 13]], [[6, 128]]])(
    'one kernel for %j',
    async (shape) => {
      const layer = tfl.layers.layerNormalization({ epsilon })
      const x = tf.add(noise(shape), 40)
      const kernels = (await tf.profile(() => layer.apply(x) as tf.Tensor)).kernelNames
      const y = layer.apply(x) as tf.Tensor
      expect(kernels).toContain('DcmlLayerNorm')
      expect(kernels).not.toContain('FusedBatchNorm')
      expect(worstError(y.dataSync(), normalized(x.dataSync(), shape.at(-1)!))).toBeLessThan(2e-5)
    },
  )

  it.each([[[3, 6]], [[2, 3, 9]]])('gradients of input, scale and offset, %j', async (shape) => {
    const layer = tfl.layers.layerNormalization({ epsilon })
    layer.build(shape)
    const size = shape.at(-1)!
    layer.setWeights([noise([size], 3), noise([size], 4)])
    await expectGradient((x) => layer.apply(x!) as tf.Tensor, [noise(shape)])
    const x = noise(shape, 5)
    const weights = noise(shape, 6)
    const variables = layer.trainableWeights.map((weight) => weight.read() as tf.Variable)
    const { grads } = tf.variableGrads(
      () => tf.sum(tf.mul(layer.apply(x) as tf.Tensor, weights)) as tf.Scalar,
      variables,
    )
    const normal = normalized(x.dataSync(), size)
    const w = weights.dataSync()
    const expected = [new Float64Array(size), new Float64Array(size)]
    normal.forEach((value, i) => {
      expected[0]![i % size]! += w[i]! * value
      expected[1]![i % size]! += w[i]!
    })
    variables.forEach((variable, i) => {
      expect(worstError(grads[variable.name]!.dataSync(), expected[i]!)).toBeLessThan(1e-5)
    })
  })

  it('leaves other axes, and gradients of gradients, to the composed form', async () => {
    const layer = tfl.layers.layerNormalization({ axis: 1, epsilon })
    const x = noise([2, 3, 4])
    const y = tf.transpose(layer.apply(x) as tf.Tensor, [0, 2, 1])
    expect(worstError(y.dataSync(), normalized(tf.transpose(x, [0, 2, 1]).dataSync(), 3))).toBeLessThan(2e-5)
    const last = tfl.layers.layerNormalization({ epsilon })
    last.build([2, 4])
    // The sum of squares of a gradient, as a gradient penalty has it.
    const slope = (x: tf.Tensor) => tf.grad((z) => tf.sum(tf.square(tf.mul(last.apply(z) as tf.Tensor, z))))(x)
    await expectGradient((z) => slope(z!), [noise([2, 4], 8)], { step: 3e-3, tolerance: 2e-2 })
  })
})

it.each(testedBackends())('sums the gradient of a tiled tensor over its repetitions on %s', async (name) => {
  await selectBackend({ prefer: [name] })
  await expectGradient((x) => tf.tile(x!, [2, 1, 3]), [noise([3, 1, 2])])
  await expectGradient((x) => tf.tile(x!, [4, 5]), [noise([1, 3])])
  await expectGradient((x) => tf.tile(x!, [1, 2, 1, 2, 2]), [noise([2, 1, 2, 1, 2])])
})
