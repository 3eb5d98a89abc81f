/**
 * Measures a model on a dataset.
 *
 * Owns: running the model over batches.
 * Leaves: what a metric is to metrics/, what is found out to judgement.ts, how the report looks to report.ts.
 * @module
 */

import type * as tfl from '@tensorflow/tfjs-layers'
import { ensureBackend } from '../backends/index.js'
import { ConfigError, checkGiven, checkWhole, ShapeError, type TypedArray, withDefaults } from '../core/index.js'
import { type Columns, checkDataset, columnOf, type Dataset, numbersOf } from '../data/index.js'
import { createEngine, type Outputs, runModel } from '../engine/index.js'
import {
  accuracy,
  confusionMatrix,
  type Metric,
  type MetricName,
  resolveEvaluationMetric,
  rowsIn,
} from '../metrics/index.js'

import type { ConfidenceOptions } from './confidence.js'
import { Judgement } from './judgement.js'
import { type PredictionArrays, predictionsOf } from './prediction-arrays.js'
import type { EvaluationReport } from './report.js'
import type { WorstOptions } from './worst-rows.js'

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
  /** Intervals around every metric that is one number. Keeps all predictions. @default none */
  confidence?: ConfidenceOptions | true
  /** Columns by whose values the rows are judged apart. */
  slices?: readonly string[]
  /** The rows that the model is most wrong about. @default none */
  worst?: WorstOptions | true
}

/** A model, or something that prepares columns and predicts with one, such as a `Predictor`. */
export type Evaluable =
  | tfl.LayersModel
  | {
      /** The outputs for rows of which the first has the number `firstRow`. */
      predict(columns: Columns, options: { firstRow: number }): Promise<{ data: Float32Array; shape: number[] }>
    }

/** What to find out about predictions besides the metrics. */
export interface PredictionsOptions extends Pick<EvaluatorOptions, 'classes' | 'confidence' | 'worst'> {
  /** Values of every row, by a name, to judge the rows apart by. */
  slices?: Readonly<Record<string, readonly (string | number)[] | TypedArray>>
}

/**
 * Runs a model over a dataset, batch by batch, and computes metrics of all rows together.
 *
 * @example
 * const report = await new Evaluator({ metrics: [accuracy(), f1({ average: 'macro' })] }).evaluate(model, test)
 * console.log(report.toText())
 */
export class Evaluator {
  readonly #options: EvaluatorOptions & Required<Pick<EvaluatorOptions, 'metrics' | 'batchSize' | 'target'>>
  readonly #metrics: readonly Metric[]

  /** @throws {ConfigError} if a metric is unknown, two have one name, or the batch size is no count. */
  constructor(options: EvaluatorOptions = {}) {
    this.#options = withDefaults('Evaluator', options, {
      metrics: [accuracy(), confusionMatrix()],
      batchSize: 256,
      target: 'y',
      sampleWeight: undefined,
      classes: undefined,
      confidence: undefined,
      slices: undefined,
      worst: undefined,
    })
    checkWhole('The batch size of an evaluator', this.#options.batchSize)
    this.#metrics = checkMetrics(this.#options.metrics)
  }

  /**
   * @param model - Reads column `x`, or one column per input by name; gives `[rows, ...]`.
   * @param dataset - With the target column, prepared as for training (raw, for a `Predictor`).
   * @throws {DataError} if the dataset is empty or lacks a column. @throws {ShapeError} if rows do not fit the model.
   */
  async evaluate(model: Evaluable, dataset: Dataset): Promise<EvaluationReport> {
    checkDataset('What the evaluator is to read', dataset)
    checkGiven(typeof model?.predict === 'function', 'What the evaluator is to measure is no model.', {
      expected: 'a LayersModel or a Predictor',
      received: model,
    })
    await ensureBackend()
    const { batchSize } = this.#options
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
    const { batchSize, target, sampleWeight } = this.#options
    const judgement = new Judgement(this.#metrics, this.#options)
    for await (const columns of dataset.batches(batchSize)) {
      const column = columnOf(columns, target, 'Evaluator')
      const truth = { data: numbersOf(column, target, 'Evaluator'), shape: column.shape }
      const scores = await run(columns, judgement.rows)
      const weights =
        sampleWeight === undefined
          ? undefined
          : numbersOf(columnOf(columns, sampleWeight, 'Evaluator'), sampleWeight, 'Evaluator')
      judgement.take(weights ? { truth, scores, weights } : { truth, scores }, columns)
    }
    return judgement.report()
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
  arrays: PredictionArrays,
  metrics: readonly (Metric | MetricName)[],
  given: PredictionsOptions = {},
): EvaluationReport {
  const { slices, ...options } = withDefaults('evaluatePredictions', given, {
    slices: {},
    classes: undefined,
    confidence: undefined,
    worst: undefined,
  })
  const judgement = new Judgement(checkMetrics(metrics), { ...options, slices: Object.keys(slices) })
  const batch = predictionsOf(arrays)
  if (rowsIn(batch) > 0) judgement.take(batch, columnsOf(slices, rowsIn(batch)))
  return judgement.report()
}

function columnsOf(slices: NonNullable<PredictionsOptions['slices']>, rows: number): Columns {
  return Object.fromEntries(
    Object.entries(slices).map(([name, values]) => {
      if (values.length !== rows)
        throw new ShapeError(`The slices by '${name}' do not match the truth.`, {
          expected: `${rows} rows`,
          received: `${values.length} rows`,
        })
      return [name, { data: Array.from(values, String), shape: [rows] }]
    }),
  )
}

function checkMetrics(given: readonly (Metric | MetricName)[]): readonly Metric[] {
  checkGiven(Array.isArray(given), 'The metrics are no list.', {
    expected: "such as ['accuracy', rocAuc()]",
    received: given,
  })
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
