/**
 * How much each value of a model's input has to do with its output.
 *
 * @see Sundararajan, Taly, Yan 2017, https://arxiv.org/abs/1703.01365
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import type * as tfl from '@tensorflow/tfjs-layers'
import { ConfigError, sizeOf } from '../core/index.js'

/** The values of one row, by input of the model. */
export type InputRow = { values: Float32Array; shape: number[] }[]

/** What comes of the path from the baseline to the input. */
export interface PathIntegral {
  /** Per input, per value of it. They add up to `output - baselineOutput`, but for the error of the sum. */
  attributions: Float64Array[]
  output: number
  baselineOutput: number
}

/** Points of the path per run of the model, at most: their activations are all kept for the gradient. */
const POINTS_PER_RUN = 64

/**
 * attribution_i = (x_i - b_i) * integral over a from 0 to 1 of dF/dx_i at b + a (x - b)
 *
 * The integral is a Gauss-Legendre sum: exact for polynomials of degree `2 * points - 1`, so that smooth models need
 * few points; those of rectified units are smooth only in parts and need more.
 *
 * @param model - With one output.
 * @param input - The row; `baseline`: where the path begins.
 * @param options - `select`: of outputs `[rows, ...]`, the value per row whose cause is asked for, `[rows]`.
 * @throws {ConfigError} if the output does not depend on an input in a way that can be differentiated.
 */
export async function integratedGradients(
  model: tfl.LayersModel,
  input: InputRow,
  baseline: InputRow,
  { points, select }: { points: number; select: (output: tf.Tensor) => tf.Tensor },
): Promise<PathIntegral> {
  const run = (inputs: tf.Tensor[]) =>
    select(model.apply(inputs.length === 1 ? inputs[0]! : inputs, { training: false }) as tf.Tensor)
  const at = (positions: readonly number[]) =>
    input.map(({ values, shape }, i) => pathTensor(values, baseline[i]!.values, shape, positions))
  const attributions = input.map(({ values }) => new Float64Array(values.length))
  const { nodes, weights } = gaussLegendre(points)
  for (let from = 0; from < points; from += POINTS_PER_RUN) {
    const some = nodes.slice(from, from + POINTS_PER_RUN)
    const gradients = tf.tidy(() => differentiated(run, at(some)))
    for (const [i, gradient] of gradients.entries()) {
      const values = await gradient.data()
      gradient.dispose()
      const sums = attributions[i]!
      for (let j = 0; j < values.length; j++)
        sums[j % sums.length]! += weights[from + Math.floor(j / sums.length)]! * values[j]!
    }
  }
  attributions.forEach((sums, i) => {
    for (let j = 0; j < sums.length; j++) sums[j]! *= input[i]!.values[j]! - baseline[i]!.values[j]!
  })
  const ends = tf.tidy(() => run(at([0, 1])))
  const [baselineOutput, output] = await ends.data()
  ends.dispose()
  return { attributions, output: output!, baselineOutput: baselineOutput! }
}

function differentiated(run: (inputs: tf.Tensor[]) => tf.Tensor, inputs: tf.Tensor[]): tf.Tensor[] {
  try {
    return tf.grads((...given: tf.Tensor[]) => tf.sum(run(given)))(inputs)
  } catch (cause) {
    throw new ConfigError('The output of the model cannot be differentiated by its input.', {
      expected: 'an input of real numbers: not, for example, numbers of words that an embedding looks up',
      cause,
    })
  }
}

/** Points of the straight path, `[positions, ...shape]`. */
function pathTensor(to: Float32Array, from: Float32Array, shape: number[], positions: readonly number[]): tf.Tensor {
  const size = sizeOf(shape)
  const values = new Float32Array(size * positions.length)
  positions.forEach((position, row) => {
    for (let j = 0; j < size; j++) values[row * size + j] = from[j]! + position * (to[j]! - from[j]!)
  })
  return tf.tensor(values, [positions.length, ...shape])
}

/**
 * Nodes and weights of a Gauss-Legendre sum over 0 to 1: the roots of the Legendre polynomial, by Newton's method.
 *
 * @see Abramowitz and Stegun, Handbook of Mathematical Functions, 25.4.29
 */
export function gaussLegendre(points: number): { nodes: number[]; weights: number[] } {
  const nodes: number[] = []
  const weights: number[] = []
  for (let i = 0; i < points; i++) {
    let x = -Math.cos((Math.PI * (i + 0.75)) / (points + 0.5))
    let slope = 1
    // From this start the steps square their error: a handful reaches the last bit.
    for (let step = 0; step < 8; step++) {
      let value = 1
      let before = 0
      for (let n = 0; n < points; n++) [before, value] = [value, ((2 * n + 1) * x * value - n * before) / (n + 1)]
      slope = (points * (x * value - before)) / (x * x - 1)
      x -= value / slope
    }
    nodes.push((1 + x) / 2)
    weights.push(1 / ((1 - x * x) * slope * slope))
  }
  return { nodes, weights }
}
