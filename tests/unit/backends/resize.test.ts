import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { recordCalls, selectBackend } from '../../../src/backends/index.js'
import { expectGradient, noise } from './gradients/numeric-gradient.js'
import { nativeBackends } from './tested-backends.js'
import { worstError } from './wasm/kernels/arena.js'

/** Height and width before, and after: larger, smaller, both, the same, one row, from one pixel. */
const sizes = [
  [3, 4, 6, 12],
  [9, 8, 4, 3],
  [5, 7, 7, 3],
  [4, 4, 4, 4],
  [4, 6, 1, 5],
  [1, 1, 3, 2],
] as const
/** Corners: of pixels, aligned, or half a pixel in. */
const corners = [
  ['plain', false, false],
  ['aligned', true, false],
  ['shifted', false, true],
] as const
const ways = ['resizeNearestNeighbor', 'resizeBilinear'] as const
const cases = ways.flatMap((way) => corners.map(([name, ...flags]) => [way, name, flags] as const))

describe.each(nativeBackends())('resizing on %s', (backend) => {
  beforeAll(async () => {
    await selectBackend({ prefer: [backend] })
  })

  it.each(cases)('%s, %s corners, gives what tfjs gives, and is in recordings', async (way, name, [align, half]) => {
    for (const [height, width, newHeight, newWidth] of sizes) {
      const resize = (x: tf.Tensor) => tf.image[way](x as tf.Tensor4D, [newHeight, newWidth], align, half)
      // tfjs' gradients take no heed of shifted corners, do not end with aligned ones and one pixel, and mix up pictures:
      // so of one picture. Six channels: four at once, and the rest.
      const [images, dy] = [noise([1, height, width, 6]), noise([1, newHeight, newWidth, 6], 2)]
      const pair = noise([2, height, width, 6], 3)
      const hasGradient = name === 'plain' || (name === 'aligned' && height > 1)
      const compute = () => {
        const attributes = { alignCorners: align, halfPixelCenters: half }
        const kernel = way === 'resizeBilinear' ? tf.ResizeBilinearGrad : tf.ResizeNearestNeighborGrad
        const backward = () => tf.engine().runKernel(kernel, { images, dy }, attributes) as tf.Tensor
        return [resize(pair), ...(hasGradient ? [backward()] : [])]
      }
      const { result, recording } = recordCalls(compute)
      expect(recording.refusal).toBeUndefined()
      expect(recording.calls.map((call) => call.name)).toEqual(result.map(() => 'resize'))
      const actual = await Promise.all(result.map((tensor) => tensor.data()))
      if (hasGradient) expect(result[1]!.shape).toEqual(images.shape)
      await selectBackend({ prefer: ['cpu'] })
      // Only the numbers: tfjs mixes up height and width in the shape of a bilinear gradient.
      const expected = await Promise.all(compute().map((tensor) => tensor.data()))
      await selectBackend({ prefer: [backend] })
      actual.forEach((values, i) => {
        expect(worstError(values, expected[i]!)).toBeLessThan(5e-6)
      })
    }
  })

  it.each(cases)('%s, %s corners, has the gradient that differences show', async (way, _, [align, half]) => {
    for (const [height, width, newHeight, newWidth] of sizes) {
      const resize = (x: tf.Tensor) => tf.image[way](x as tf.Tensor4D, [newHeight, newWidth], align, half)
      await expectGradient(resize, [noise([2, height, width, 2])])
    }
  })

  it('rounds places as tfjs does where float64 decides', async () => {
    // Pixel 49 of 99 lies at 49 * (1 / 98), which is less than a half in float64; 49 of 98 at less than 1.
    const nearest = async (size: number, align: boolean) =>
      (await tf.image.resizeNearestNeighbor(tf.tensor4d([0, 1], [1, 1, 2, 1]), [1, size], align).data())[49]
    expect(49 * (1 / 98)).toBeLessThan(0.5)
    expect(await nearest(99, true)).toBe(0)
    expect(49 * (2 / 98)).toBeLessThan(1)
    expect(await nearest(98, false)).toBe(0)
  })

  it('moves what is no finite number only where it is shown', async () => {
    const x = tf.tensor4d([1, Number.NaN, 3], [1, 1, 3, 1])
    expect([...(await tf.image.resizeNearestNeighbor(x, [1, 6]).data())]).toEqual([1, 1, NaN, NaN, 3, 3])
    expect([...(await tf.image.resizeBilinear(x, [1, 6]).data())]).toEqual([1, NaN, NaN, NaN, 3, 3])
  })
})
