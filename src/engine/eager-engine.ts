/**
 * The eager engine: tfjs operations one by one, on any backend. The reference for every other engine.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import type { BatchLoss, BatchSums, Engine } from './engine.js'
import type { FlatParameters } from './flat-parameters.js'

/** Runs a step as tfjs would, and gathers the gradients in the flat buffer. */
export class EagerEngine implements Engine {
  readonly name = 'eager'
  readonly reason?: string

  /** @param reason - Why this engine stands in for another, when it does. */
  constructor(reason?: string) {
    if (reason !== undefined) this.reason = reason
  }

  async gradients(loss: () => BatchLoss, parameters: FlatParameters, accumulate: boolean): Promise<BatchSums> {
    let metrics: tf.Scalar[] = []
    const variables = parameters.variables as tf.Variable[]
    const { value, grads } = tf.variableGrads(() => {
      const batch = loss()
      metrics = batch.metrics.map((metric) => tf.keep(metric))
      return batch.loss
    }, variables)
    variables.forEach((variable, i) => {
      const gradient = grads[variable.name]
      if (gradient) {
        parameters.addGradient(i, gradient, accumulate)
        gradient.dispose()
      } else if (!accumulate) {
        const { offset, length } = parameters.layout.entries[i]!
        parameters.gradients.fill(0, offset, offset + length)
      }
    })
    return readSums(value, metrics)
  }

  async evaluate(loss: () => BatchLoss): Promise<BatchSums> {
    let metrics: tf.Scalar[] = []
    const value = tf.tidy(() => {
      const batch = loss()
      metrics = batch.metrics.map((metric) => tf.keep(metric))
      return batch.loss
    })
    return readSums(value, metrics)
  }
}

async function readSums(loss: tf.Scalar, metrics: tf.Scalar[]): Promise<BatchSums> {
  const scalars = [loss, ...metrics]
  // The scalars may alias one tensor: all are read before any is disposed.
  const values: number[] = []
  for (const scalar of scalars) values.push((await scalar.data())[0]!)
  for (const scalar of scalars) scalar.dispose()
  return { loss: values[0]!, metrics: values.slice(1) }
}
