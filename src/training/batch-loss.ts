/**
 * From columns to the loss of a batch: the function that an engine differentiates.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import type * as tfl from '@tensorflow/tfjs-layers'
import { type RowSelection, refuseRecording, rowTensor } from '../backends/index.js'
import { ConfigError } from '../core/index.js'
import type { BatchLoss } from '../engine/index.js'
import { type Loss, resolveLoss, resolveMetric, type TensorMetric } from '../metrics/index.js'
import { forward, outputActivation } from '../models/index.js'
import type { SharedColumns, TrainingJob } from './job.js'

/** What a custom step may read besides the batch. */
export interface StepContext {
  /** False while evaluating. */
  training: boolean
  /** Number of the update, from 1; 0 while evaluating. */
  step: number
  /** Index of the first row in the global batch. */
  firstRow: number
}

/** Tensors of one batch by column name, each `[rows, ...]`. Disposed by the trainer. */
export type BatchTensors = Record<string, tf.Tensor>

/**
 * A step written by the user instead of a named loss.
 *
 * @returns `loss`: scalar, the mean over the rows of the batch; `metrics`: scalars, likewise, by name.
 */
export type CustomStep = (
  model: tfl.LayersModel,
  batch: BatchTensors,
  context: StepContext,
) => { loss: tf.Scalar; metrics?: Record<string, tf.Scalar> }

/** Rows of a batch, as one worker sees them. */
interface BatchRows {
  columns: SharedColumns
  selection: RowSelection
}

/** Makes the loss function of a batch. */
export type BatchLossMaker = (rows: BatchRows, context: StepContext) => () => BatchLoss

/** A loss as a custom function of truth `[batch, ...]` and output `[batch, ...]`, giving `[batch]`. */
export type LossFunction = (truth: tf.Tensor, output: tf.Tensor) => tf.Tensor

/** Builds the loss function of a job. */
export function createBatchLoss(
  model: tfl.LayersModel,
  job: TrainingJob,
  custom: { step?: CustomStep; loss?: LossFunction },
): BatchLossMaker {
  const { step } = custom
  if (step) return customLoss(model, job, step)
  const loss = resolveLoss(custom.loss ?? job.loss!)
  const metrics = job.metrics.map((name) => tensorMetric(name))
  const activation = outputActivation(model)
  const logits = loss.fromLogits !== undefined && loss.fromLogits === activation
  return (rows, context) => () => {
    const { features, target, weight } = job.columns
    const inputs =
      model.inputs.length === 1
        ? columnTensor(rows, features)
        : model.inputNames.map((name) => columnTensor(rows, name))
    const truth = columnTensor(rows, target)
    const output = forward(model, inputs, { training: context.training, logits }) as tf.Tensor
    const weights = weight === undefined ? undefined : columnTensor(rows, weight)
    const perExample =
      logits || !loss.fromLogits ? loss.perExample(truth, output) : loss.fromProbabilities!(truth, output)
    let total = weightedSum(perExample, weights)
    for (const penalty of model.calculateLosses()) total = tf.add(total, tf.mul(penalty, weightOf(rows, weights)))
    // Accuracy and its kin rank the classes, and logits rank them as probabilities do.
    const prediction = logits && metrics.some((metric) => metric.needsProbabilities) ? activate(output, loss) : output
    return { loss: total, metrics: metrics.map((metric) => weightedSum(metric.step(truth, prediction), weights)) }
  }
}

function activate(output: tf.Tensor, loss: Loss): tf.Tensor {
  return loss.fromLogits === 'sigmoid' ? tf.sigmoid(output) : tf.softmax(output)
}

function customLoss(model: tfl.LayersModel, job: TrainingJob, step: CustomStep): BatchLossMaker {
  return (rows, context) => () => {
    const batch: BatchTensors = {}
    const { weight } = job.columns
    for (const name of Object.keys(rows.columns)) batch[name] = columnTensor(rows, name)
    const { loss, metrics = {} } = step(model, batch, watched(context))
    for (const name of job.metrics)
      if (!metrics[name])
        throw new ConfigError(`The custom step did not return the metric '${name}'.`, {
          expected: job.metrics,
          received: Object.keys(metrics),
        })
    const total = weightOf(rows, weight === undefined ? undefined : batch[weight])
    return {
      loss: tf.mul(tf.reshape(loss, []), total) as tf.Scalar,
      metrics: job.metrics.map((name) => tf.mul(tf.reshape(metrics[name]!, []), total) as tf.Scalar),
    }
  }
}

/** The context, whose changing numbers a recorded step cannot follow once they are read. */
function watched({ training, step, firstRow }: StepContext): StepContext {
  const read = (name: string, value: number) => {
    refuseRecording(`The custom step reads context.${name}, which changes from step to step.`)
    return value
  }
  return {
    training,
    get step() {
      return read('step', step)
    },
    get firstRow() {
      return read('firstRow', firstRow)
    },
  }
}

/** One column of a batch as a tensor `[rows, ...]`. Whole numbers of up to 32 bits in the target stay int32. */
function columnTensor({ columns, selection }: BatchRows, name: string): tf.Tensor {
  const column = columns[name]
  if (!column)
    throw new ConfigError(`The data has no column '${name}'.`, {
      expected: `one of ${Object.keys(columns).join(', ')}`,
      received: name,
    })
  const dtype = column.data instanceof Int32Array ? 'int32' : 'float32'
  const rowShape = column.shape.slice(1)
  return rowTensor(column.data, rowShape, selection, dtype)
}

/** Sum of the weights of the rows: a tensor where each row has its own, as it differs from batch to batch. */
function weightOf({ selection }: BatchRows, weights: tf.Tensor | undefined): tf.Tensor | number {
  return weights ? tf.sum(weights) : selection.to - selection.from
}

function weightedSum(perExample: tf.Tensor, weights: tf.Tensor | undefined): tf.Scalar {
  return tf.sum(weights ? tf.mul(perExample, weights) : perExample)
}

/** @throws {ConfigError} if there is no such metric, or none that a step can compute. */
export function tensorMetric(name: string): TensorMetric {
  const metric = resolveMetric(name)
  if (!metric.step)
    throw new ConfigError(`The metric '${name}' cannot be computed during training.`, {
      remedy: 'Use it in an Evaluator after training',
    })
  return metric as TensorMetric
}
