/**
 * The eager engine: tfjs operations one by one, on any backend. The reference for every other engine.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import type { Batch, BatchSums, Engine, Run } from './engine.js'
import { createFlatFloats, type FlatFloats } from './flat-floats.js'
import type { FlatParameters } from './flat-parameters.js'
import { type GradientBuckets, handOver } from './gradient-buckets.js'

/** Runs a step as tfjs would, and gathers the gradients in the flat buffer. */
export class EagerEngine implements Engine {
  readonly name = 'eager'
  passingBytes = 0

  /** @param reason - Why this engine stands in for another, when it does. */
  constructor(readonly reason?: string) {}

  async gradients(
    batch: Batch,
    parameters: FlatParameters,
    accumulate: boolean,
    buckets?: GradientBuckets,
  ): Promise<BatchSums> {
    if (!buckets) return sumsOf(await readGradients(batch, parameters, parameters.sums, accumulate))
    // tfjs computes all gradients before it gives any.
    const whole = createFlatFloats(parameters.layout.length)
    this.passingBytes = 4 * parameters.layout.length
    try {
      const results = await readGradients(batch, parameters, whole, false)
      await handOver(buckets, (await whole.read()).slice())
      return sumsOf(results)
    } finally {
      whole.dispose()
    }
  }

  async evaluate(batch: Batch): Promise<BatchSums> {
    return sumsOf(await readTensors(computeLoss(batch)))
  }

  async infer(run: Run, forward: (run: Run) => tf.Tensor): Promise<Float32Array> {
    const [values] = await readTensors([tf.tidy(() => forward(run))])
    return values!
  }

  dispose(): void {}
}

/**
 * Writes (or adds) the gradients of a batch to a flat buffer.
 *
 * @returns The sums: loss, then metrics. The caller disposes them.
 */
export function computeGradients(
  batch: Batch,
  parameters: FlatParameters,
  target: FlatFloats,
  accumulate: boolean,
): tf.Scalar[] {
  const { sums, gradients } = differentiate(batch, parameters)
  storeGradients(gradients, parameters, target, accumulate)
  return sums
}

/** As `computeGradients` where the target may be host memory; reads the sums. */
async function readGradients(
  batch: Batch,
  parameters: FlatParameters,
  target: FlatFloats,
  accumulate: boolean,
): Promise<Float32Array[]> {
  const { sums, gradients } = differentiate(batch, parameters)
  // Read here, their values are there at once: WebGPU cannot be waited for where they are stored.
  if (!target.device) await Promise.all(gradients.map((gradient) => gradient?.data()))
  storeGradients(gradients, parameters, target, accumulate)
  return readTensors(sums)
}

/** The sums of a batch, and the gradient of each variable that its loss depends on. The caller disposes all. */
function differentiate(batch: Batch, { variables }: FlatParameters) {
  let metrics: tf.Scalar[] = []
  const { value, grads } = tf.variableGrads(() => {
    const { loss, metrics: values } = batch.loss(batch)
    metrics = values.map((metric) => tf.keep(metric))
    return loss
  }, variables as tf.Variable[])
  return { sums: [value, ...metrics], gradients: variables.map(({ name }) => grads[name] as tf.Tensor | undefined) }
}

function storeGradients(
  gradients: readonly (tf.Tensor | undefined)[],
  parameters: FlatParameters,
  target: FlatFloats,
  accumulate: boolean,
): void {
  gradients.forEach((gradient, i) => {
    if (gradient) {
      parameters.addGradient(target, i, gradient, accumulate)
      gradient.dispose()
    } else if (!accumulate) parameters.clearGradient(target, i)
  })
}

/** The sums of a batch without gradients: loss, then metrics. The caller disposes them. */
export function computeLoss(batch: Batch): tf.Scalar[] {
  return tf.tidy(() => {
    const { loss, metrics } = batch.loss(batch)
    return [loss, ...metrics]
  })
}

/** Reads tensors and disposes them. */
export async function readTensors(tensors: readonly tf.Tensor[]): Promise<Float32Array[]> {
  const values: Float32Array[] = []
  // Several may be one tensor: all are read before any is disposed.
  for (const tensor of tensors) values.push((await tensor.data()) as Float32Array)
  for (const tensor of tensors) tensor.dispose()
  return values
}

/** The results of a step as sums. */
export function sumsOf([loss, ...metrics]: Float32Array[]): BatchSums {
  return { loss: loss![0]!, metrics: metrics.map(([sum]) => sum!) }
}
