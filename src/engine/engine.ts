/**
 * The engine's seam: what computes the gradients of one batch, by whatever means.
 * @module
 */

import type * as tf from '@tensorflow/tfjs-core'
import type { Meeting, RowSelection } from '../backends/index.js'
import type { TypedArray } from '../core/index.js'
import type { FlatParameters } from './flat-parameters.js'
import type { GradientBuckets } from './gradient-buckets.js'

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

/** An update of weights as a call of a kernel: its arguments in order. */
export interface UpdateCall {
  readonly name: 'sgd' | 'adam' | 'rmsprop' | 'adagrad'
  readonly values: readonly number[]
}

/** What follows the gradients of a step, in a form that a program runs by itself. Nothing in it: one worker alone. */
export interface LoweredStep {
  /** The first element of the weights that this worker updates, and the last but one. @default all */
  readonly share?: { readonly from: number; readonly to: number }
  /** The other workers, whose sums lie in the same memory. */
  readonly peers?: {
    /** The list (`createDeviceAddresses`) of where the sums of each begin, in rank order. */
    readonly pointers: number
    readonly count: number
    /** Where they wait for each other: before gradients are added up, and before the next step. */
    readonly meeting: Meeting
  }
}

/** Updates one after another, each from as many rows as the first. */
export interface StepSeries {
  /** The rows of the first update. */
  readonly batch: Batch
  readonly count: number
  /** How far apart the rows of two updates begin in the order. */
  readonly stride: number
  readonly lowered: LoweredStep
  /** The update of a range of the weights; float32 arguments alone may depend on the step. */
  readonly update: (step: number, range: { from: number; to: number }) => UpdateCall
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
   *
   * @param buckets - Take the gradients instead of the flat buffer; whether they are added to others is up to them.
   */
  gradients(
    batch: Batch,
    parameters: FlatParameters,
    accumulate: boolean,
    buckets?: GradientBuckets,
  ): Promise<BatchSums>
  /** Bytes of gradients that are there at once in the largest step that handed them over in buckets. */
  readonly passingBytes: number
  /**
   * Makes updates one after another without JavaScript in between, as many as it can; the caller makes the next one by
   * itself. As all that an engine runs, it has its rows by the time it returns.
   *
   * @returns The sums of each over all workers: loss, weight, metrics. Of an update whose loss is not a finite number,
   *   which is the last, nothing but these sums was computed. Undefined where it can make none.
   */
  series?(series: StepSeries, parameters: FlatParameters): Promise<Float32Array[]> | undefined
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
