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

/** What a run is computed from, besides the model. */
export interface RunInputs {
  selection: RowSelection
  /** Number of the update, from 1; 0 outside of training. */
  step: number
  /** Index of the first row in the global batch. */
  firstRow: number
}

/** A column of the data. */
export interface Column {
  data: TypedArray
  shape: readonly number[]
  /** Byte offset of the same numbers, as `deviceType` has them, in the memory of dcml-wasm, if they are there. */
  pointer?: number
}

/** Some rows of the data. */
export interface Run extends RunInputs {
  columns: Readonly<Record<string, Column>>
  training: boolean
}

/** Some rows of the data, and the loss that is computed from them. */
export interface Batch extends Run {
  /**
   * Computes the loss with tfjs operations. To learn how a step depends on its inputs, an engine may call it several
   * times, with other inputs too.
   */
  loss: (inputs: RunInputs) => BatchLoss
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
  /**
   * The output of a model for some rows, `[rows, ...]`, as a copy in host memory.
   *
   * @param forward - Computes it with tfjs operations, float32; may be called several times.
   */
  infer(run: Run, forward: (run: Run) => tf.Tensor): Promise<Float32Array>
  /** Gives back the memory that the engine holds. */
  dispose(): void
}
