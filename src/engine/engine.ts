/**
 * The engine's seam: what computes the gradients of one batch, by whatever means.
 * @module
 */

import type * as tf from '@tensorflow/tfjs-core'
import type { RowSelection } from '../backends/index.js'
import type { TypedArray } from '../core/index.js'
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

/** What a batch is computed from, besides the model. */
export interface BatchInputs {
  selection: RowSelection
  /** Number of the update, from 1; 0 while evaluating. */
  step: number
  /** Index of the first row in the global batch. */
  firstRow: number
}

/** Some rows of the data, and what is computed from them. */
export interface Batch extends BatchInputs {
  columns: Readonly<Record<string, { data: TypedArray; shape: readonly number[] }>>
  training: boolean
  /**
   * Computes the loss with tfjs operations. To learn how a step depends on its inputs, an engine may call it several
   * times, with other inputs too.
   */
  loss: (inputs: BatchInputs) => BatchLoss
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
  readonly reason?: string | undefined
  /**
   * Runs the loss on one batch, writes the sum of its gradients into the flat buffer (or adds them to it) and returns
   * the sums of loss and metrics.
   */
  gradients(batch: Batch, parameters: FlatParameters, accumulate: boolean): Promise<BatchSums>
  /** Runs the loss on one batch without gradients. */
  evaluate(batch: Batch): Promise<BatchSums>
  /** Gives back the memory that the engine holds. */
  dispose(): void
}
