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
    if (!buckets) return sumsOf(await readTensors(computeGradients(batch, parameters, parameters.sums, accumulate)))
    // tfjs computes all gradients before it gives any.
    const whole = createFlatFloats(parameters.layout.length)
    this.passingBytes = whole.view().byteLength
    try {
      const results = await readTensors(computeGradients(batch, parameters, whole, false))
      await handOver(buckets, whole.view().slice(), accumulate)
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
  sums: FlatFloats,
  accumulate: boolean,
): tf.Scalar[] {
  let metrics: tf.Scalar[] = []
  const variables = parameters.variables as tf.Variable[]
  const { value, grads } = tf.variableGrads(() => {
    const { loss, metrics: values } = batch.loss(batch)
    metrics = values.map((metric) => tf.keep(metric))
    return loss
  }, variables)
  variables.forEach((variable, i) => {
    const gradient = grads[variable.name]
    if (gradient) {
      parameters.addGradient(sums, i, gradient, accumulate)
      gradient.dispose()
    } else if (!accumulate) parameters.clearGradient(sums, i)
  })
  return [value, ...metrics]
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
