/**
 * The eager engine: tfjs operations one by one, on any backend. The reference for every other engine.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import type { Batch, BatchLoss, BatchSums, Engine } from './engine.js'
import type { FlatParameters } from './flat-parameters.js'

/** Runs a step as tfjs would, and gathers the gradients in the flat buffer. */
export class EagerEngine implements Engine {
  readonly name = 'eager'

  /** @param reason - Why this engine stands in for another, when it does. */
  constructor(readonly reason?: string) {}

  gradients(batch: Batch, parameters: FlatParameters, accumulate: boolean): Promise<BatchSums> {
    return readSums(computeGradients(batch, parameters, accumulate))
  }

  evaluate(batch: Batch): Promise<BatchSums> {
    return readSums(computeLoss(batch))
  }

  dispose(): void {}
}

/** Writes (or adds) the gradients of a batch to the flat buffer. The caller disposes the scalars. */
export function computeGradients(batch: Batch, parameters: FlatParameters, accumulate: boolean): BatchLoss {
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
      parameters.addGradient(i, gradient, accumulate)
      gradient.dispose()
    } else if (!accumulate) parameters.clearGradient(i)
  })
  return { loss: value, metrics }
}

/** The loss of a batch without gradients. The caller disposes the scalars. */
export function computeLoss(batch: Batch): BatchLoss {
  let metrics: tf.Scalar[] = []
  const loss = tf.tidy(() => {
    const { loss, metrics: values } = batch.loss(batch)
    metrics = values.map((metric) => tf.keep(metric))
    return loss
  })
  return { loss, metrics }
}

/** Reads the scalars and disposes them. */
export async function readSums({ loss, metrics }: BatchLoss): Promise<BatchSums> {
  const scalars = [loss, ...metrics]
  // The scalars may alias one tensor: all are read before any is disposed.
  const values: number[] = []
  for (const scalar of scalars) values.push((await scalar.data())[0]!)
  for (const scalar of scalars) scalar.dispose()
  return { loss: values[0]!, metrics: values.slice(1) }
}
