/**
 * Measures a model on a dataset.
 *
 * Owns: running the model over batches, feeding the metrics.
 * Leaves: what a metric is to metrics/, how the report looks to report.ts.
 * @module
 */

import type * as tfl from '@tensorflow/tfjs-layers'
import { ensureBackend } from '../backends/index.js'
import { ConfigError, DataError, ShapeError, type TypedArray } from '../core/index.js'
import { type Columns, columnOf, type Dataset, numbersOf } from '../data/index.js'
import { createEngine, type Outputs, runModel } from '../engine/index.js'
import {
  accuracy,
  confusionMatrix,
  type Metric,
  type MetricName,
  type Predictions,
  resolveEvaluationMetric,
  rowsIn,
  type Values,
} from '../metrics/index.js'

import { EvaluationReport } from './report.js'

/** What to measure, and how. */
export interface EvaluatorOptions {
  /** Metrics, or their names for those with default options. @default [accuracy(), confusionMatrix()] */
  metrics?: readonly (Metric | MetricName)[]
  /**
   * Rows per run of the model.
   * @default 256
   */
  batchSize?: number
  /**
   * Column of the targets.
   * @default 'y'
   */
  target?: string
  /** Column of sample weights. */
  sampleWeight?: string
  /**
   * Names of the classes, for the report.
   * @default their numbers
   */
  classes?: readonly string[]
}

/** A model, or something that prepares columns and predicts with one, such as a `Predictor`. */
export type Evaluable =
  | tfl.LayersModel
  | {
      /** The outputs for rows of which the first has the number `firstRow`. */
      predict(columns: Columns, options: { firstRow: number }): Promise<{ data: Float32Array; shape: number[] }>
    }

/** An array of one value or of several per row. */
export type PredictionArray = readonly number[] | readonly (readonly number[])[] | TypedArray | Values

/** Predictions as plain arrays; typed arrays are one value per row. */
export interface PredictionArrays {
  /** Class numbers, one-hot rows or real targets. */
  truth: PredictionArray
  predicted?: PredictionArray
  /** Probabilities of the classes, or of the second of two. */
  scores?: PredictionArray
  weights?: readonly number[] | TypedArray
}

/**
 * Runs a model over a dataset, batch by batch, and computes metrics of all rows together.
 *
 * @example
 * const report = await new Evaluator({ metrics: [accuracy(), f1({ average: 'macro' })] }).evaluate(model, test)
 * console.log(report.toText())
 */
export class Evaluator {
  readonly #options: EvaluatorOptions
  readonly #metrics: readonly Metric[]

  /** @throws {ConfigError} if a metric is unknown, two have one name, or the batch size is no count. */
  constructor(options: EvaluatorOptions = {}) {
    const { batchSize = 256 } = options
    if (!Number.isInteger(batchSize) || batchSize < 1)
      throw new ConfigError('The batch size of an evaluator is not a count.', {
        expected: 'an integer of at least 1',
        received: batchSize,
      })
    this.#options = options
    this.#metrics = checkMetrics(options.metrics ?? [accuracy(), confusionMatrix()])
  }

  /**
   * @param model - Reads column `x`, or one column per input by name; gives `[rows, ...]`.
   * @param dataset - With the target column, prepared as for training (raw, for a `Predictor`).
   * @throws {DataError} if the dataset is empty or lacks a column. @throws {ShapeError} if rows do not fit the model.
   */
  async evaluate(model: Evaluable, dataset: Dataset): Promise<EvaluationReport> {
    await ensureBackend()
    const { batchSize = 256 } = this.#options
    const engine = createEngine('auto')
    const run = (columns: Columns, firstRow: number) =>
      'inputs' in model ? runModel(model, columns, { batchSize, engine }) : model.predict(columns, { firstRow })
    try {
      return await this.#measure(dataset, run)
    } finally {
      engine.dispose()
    }
  }

  async #measure(
    dataset: Dataset,
    run: (columns: Columns, firstRow: number) => Promise<Outputs>,
  ): Promise<EvaluationReport> {
    const { batchSize = 256, target = 'y', sampleWeight, classes } = this.#options
    const states = this.#metrics.map((metric) => metric.create())
    let rows = 0
    for await (const columns of dataset.batches(batchSize)) {
      const column = columnOf(columns, target, 'Evaluator')
      const truth = { data: numbersOf(column, target, 'Evaluator'), shape: column.shape }
      const scores = await run(columns, rows)
      const weights =
        sampleWeight === undefined
          ? undefined
          : numbersOf(columnOf(columns, sampleWeight, 'Evaluator'), sampleWeight, 'Evaluator')
      const batch: Predictions = weights ? { truth, scores, weights } : { truth, scores }
      this.#metrics.forEach((metric, i) => {
        metric.update(states[i], batch)
      })
      rows += rowsIn(batch)
    }
    if (rows === 0) throw new DataError('The dataset to evaluate is empty.', { expected: 'at least one row' })
    return report(this.#metrics, states, rows, classes)
  }
}

/**
 * The same on predictions that are there already.
 *
 * @throws {ShapeError} if the arrays have unequal numbers of rows.
 * @example
 * evaluatePredictions({ truth: [0, 1, 1], predicted: [0, 1, 0] }, [accuracy()]).values.accuracy   // 0.667
 */
export function evaluatePredictions(
  { truth, predicted, scores, weights }: PredictionArrays,
  metrics: readonly (Metric | MetricName)[],
  { classes }: Pick<EvaluatorOptions, 'classes'> = {},
): EvaluationReport {
  const checked = checkMetrics(metrics)
  const batch: Predictions = {
    truth: valuesOf(truth, 'truth'),
    ...(predicted ? { predicted: valuesOf(predicted, 'predicted') } : {}),
    ...(scores ? { scores: valuesOf(scores, 'scores') } : {}),
    ...(weights ? { weights } : {}),
  }
  const rows = rowsIn(batch)
  if (rows === 0) throw new DataError('There are no predictions to evaluate.', { expected: 'at least one row' })
  const states = checked.map((metric) => {
    const state = metric.create()
    metric.update(state, batch)
    return state
  })
  return report(checked, states, rows, classes)
}

function report(metrics: readonly Metric[], states: unknown[], rows: number, classes?: readonly string[]) {
  const values = Object.fromEntries(metrics.map((metric, i) => [metric.name, metric.compute(states[i])]))
  return new EvaluationReport({ values, rows, ...(classes ? { classes } : {}) })
}

function checkMetrics(given: readonly (Metric | MetricName)[]): readonly Metric[] {
  const metrics = given.map(resolveEvaluationMetric)
  const seen = new Set<string>()
  for (const { name } of metrics) {
    if (seen.has(name))
      throw new ConfigError(`Two metrics have the name '${name}'.`, {
        remedy: "Rename one: { ...f1(), name: 'f1Micro' }",
      })
    seen.add(name)
  }
  return metrics
}

function valuesOf(array: PredictionArray, what: string): Values {
  if ('shape' in array) return array
  const first = array[0]
  if (typeof first === 'number' || first === undefined)
    return { data: array as readonly number[], shape: [array.length] }
  const rows = array as readonly (readonly number[])[]
  const width = first.length
  for (const row of rows)
    if (row.length !== width)
      throw new ShapeError(`The rows of ${what} differ in length.`, { expected: width, received: row.length })
  return { data: rows.flat(), shape: [rows.length, width] }
}
