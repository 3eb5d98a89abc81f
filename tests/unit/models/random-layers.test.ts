import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { selectBackend } from '../../../src/backends/index.js'
import { Random } from '../../../src/core/index.js'
import { seedRandomLayers } from '../../../src/models/index.js'

beforeAll(async () => {
  await selectBackend()
})

const [rows, width] = [200, 50]
const rng = new Random(1)
const inputs = Float32Array.from({ length: rows * width }, () => rng.normal())

describe.each([
  ['Dropout', () => tfl.layers.dropout({ rate: 0.3 })],
  ['AlphaDropout', () => tfl.layers.alphaDropout({ rate: 0.3 })],
  ['GaussianDropout', () => tfl.layers.gaussianDropout({ rate: 0.3 })],
  ['GaussianNoise', () => tfl.layers.gaussianNoise({ stddev: 0.3 })],
])('%s', (name, make) => {
  const layer = make()
  const model = tfl.sequential({ layers: [tfl.layers.inputLayer({ inputShape: [width] }), layer as tfl.layers.Layer] })

  const pass = (from: number, to: number, step: number, seed = 3) => {
    const seeded = seedRandomLayers(model)
    seeded.setContext({ seed, step, firstRow: from })
    const output = tf.tidy(() => {
      const x = tf.tensor2d(inputs.subarray(from * width, to * width), [to - from, width])
      return model.apply(x, { training: true }) as tf.Tensor
    })
    seeded.restore()
    const values = output.dataSync() as Float32Array
    output.dispose()
    return values
  }

  it('depends on seed, step and row, not on how the rows are split', () => {
    const whole = pass(0, rows, 1)
    expect(pass(0, rows, 1)).toEqual(whole)
    expect(pass(0, rows, 2)).not.toEqual(whole)
    expect(pass(0, rows, 1, 4)).not.toEqual(whole)
    expect([...pass(0, 70, 1), ...pass(70, rows, 1)]).toEqual([...whole])
  })

  it('keeps the mean, and the variance where it says so', () => {
    const values = pass(0, rows, 1)
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
    // Four standard errors of 10,000 values of variance up to 1.5.
    expect(Math.abs(mean)).toBeLessThan(4 * Math.sqrt(1.5 / values.length))
    const expected = { Dropout: 1 / 0.7, AlphaDropout: 1, GaussianDropout: 1 + 0.3 / 0.7, GaussianNoise: 1.09 }[name]!
    expect(Math.abs(variance / expected - 1)).toBeLessThan(0.08)
  })

  it('has its own numbers back afterwards', () => {
    const own = () =>
      tf.tidy(() => (layer.apply(tf.ones([4, width]), { training: true }) as tf.Tensor).dataSync() as Float32Array)
    expect(own()).not.toEqual(own())
  })
})
