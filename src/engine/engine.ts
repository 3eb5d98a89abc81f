/**
 * The engine's seam: what computes the gradients of one batch, by whatever means.
 * @module
 */

import type * as tf from '@tensorflow/tfjs-core'
import type { FlatParameters } from './flat-parameters.js'

/** What a user may ask for. */
export type EngineChoice = 'auto' | 'captured' | 'eager'

/** What the loss function of a batch returns: tensors that the engine disposes. */
export interface BatchLoss {
  /** Scalar: the sum over the rows of weight times loss. Gradients are those of this sum. */
  loss: tf.Scalar
  /** Scalars: the sum over the rows of weight times metric, in the order of the job's metrics. */
  metrics: tf.Scalar[]
}

/** Sums over the rows of a batch, as numbers. */
export interface BatchSums {
  loss: number
  metrics: number[]
}

/** Computes gradients of batches. One engine belongs to one replica of a model. */
export interface Engine {
  readonly name: 'captured' | 'eager'
  /** Why another engine than the one asked for is used. */
  readonly reason?: string
  /**
   * Runs the loss on one batch, writes the sum of its gradients into the flat buffer (or adds them to it) and returns
   * the sums of loss and metrics.
   */
  gradients(loss: () => BatchLoss, parameters: FlatParameters, accumulate: boolean): Promise<BatchSums>
  /** Runs the loss on one batch without gradients. */
  evaluate(loss: () => BatchLoss): Promise<BatchSums>
}
