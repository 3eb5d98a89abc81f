import * as tf from '@tensorflow/tfjs-core'
import { expect } from 'vitest'
import { Random } from '../../../../src/core/index.js'

/** Normal deviates, reproducible. */
export function noise(shape: number[], seed = 1): tf.Tensor {
  const random = new Random(seed)
  return tf.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random.normal()),
    shape,
  )
}

/**
 * Compares the gradients of the weighted sum of `f`'s output with central differences.
 *
 * The weights are random, so that no two outputs can be exchanged unseen.
 */
export async function expectGradient(
  f: (...inputs: tf.Tensor[]) => tf.Tensor,
  inputs: tf.Tensor[],
  { step = 1e-2, tolerance = 2e-3 } = {},
): Promise<void> {
  const example = f(...inputs)
  const weights = noise(example.shape, 99)
  const loss = (...x: tf.Tensor[]) => tf.sum(tf.mul(f(...x), weights)) as tf.Scalar
  const gradients = tf.grads(loss)(inputs)
  const weightValues = await weights.data<'float32'>()
  // Summed in double precision: the differences are small next to the sum.
  const evaluate = (x: tf.Tensor[]) =>
    f(...x)
      .dataSync<'float32'>()
      .reduce((sum, y, i) => sum + y * weightValues[i]!, 0)
  for (let k = 0; k < inputs.length; k++) {
    const input = inputs[k]!
    const values = (await input.data<'float32'>()).slice()
    const numeric = values.map((_, i) => {
      const at = (shift: number) => {
        const moved = values.slice()
        moved[i]! += shift
        return evaluate(inputs.map((x, j) => (j === k ? tf.tensor(moved, input.shape) : x)))
      }
      return (at(step) - at(-step)) / (2 * step)
    })
    const analytic = await gradients[k]!.data<'float32'>()
    expect(gradients[k]!.shape).toEqual(input.shape)
    const scale = Math.max(1, ...numeric.map(Math.abs))
    for (let i = 0; i < numeric.length; i++)
      expect(Math.abs(analytic[i]! - numeric[i]!) / scale).toBeLessThan(tolerance)
  }
}
