/**
 * What is found out about predictions, batch by batch.
 *
 * Owns: states of metrics, slices and worst rows; the predictions, where intervals need them.
 * @module
 */

import { DataError } from '../core/index.js'
import type { Columns } from '../data/index.js'
import { type Metric, type Predictions, RunningMetric, rowsIn } from '../metrics/index.js'
import { type ConfidenceOptions, confidenceIntervals } from './confidence.js'
import { joinBatches } from './prediction-rows.js'
import { EvaluationReport } from './report.js'
import { SliceCounter } from './slices.js'
import { type WorstOptions, WorstRows } from './worst-rows.js'

/** What to find out besides the metrics. */
export interface JudgementOptions {
  classes?: readonly string[]
  confidence?: ConfidenceOptions | true
  slices?: readonly string[]
  worst?: WorstOptions | true
}

/** Takes predictions in and comes to a report. */
export class Judgement {
  readonly #metrics: readonly Metric[]
  readonly #running: readonly RunningMetric<unknown, unknown>[]
  readonly #options: JudgementOptions
  readonly #slices: readonly SliceCounter[]
  readonly #worst: WorstRows | undefined
  readonly #kept: Predictions[] = []
  #rows = 0

  constructor(metrics: readonly Metric[], options: JudgementOptions) {
    const { slices = [], worst } = options
    this.#metrics = metrics
    this.#running = metrics.map((metric) => new RunningMetric(metric))
    this.#options = options
    this.#slices = slices.map((column) => new SliceCounter(column, metrics))
    this.#worst = worst && new WorstRows(worst === true ? {} : worst)
  }

  /** Rows taken in so far. */
  get rows(): number {
    return this.#rows
  }

  /** @param columns - Hold the columns of the slices. */
  take(batch: Predictions, columns: Columns): void {
    for (const metric of this.#running) metric.update(batch)
    for (const slice of this.#slices) slice.take(columns, batch)
    this.#worst?.take(batch)
    if (this.#options.confidence) this.#kept.push(batch)
    this.#rows += rowsIn(batch)
  }

  /** @throws {DataError} if there were no rows. */
  report(): EvaluationReport {
    if (this.#rows === 0) throw new DataError('There are no rows to evaluate.', { expected: 'at least one row' })
    const { classes, confidence } = this.#options
    return new EvaluationReport({
      values: Object.fromEntries(this.#running.map((metric) => [metric.name, metric.compute()])),
      rows: this.#rows,
      slices: this.#slices.map((slice) => slice.table()),
      worst: this.#worst?.list() ?? [],
      ...(classes ? { classes } : {}),
      ...(confidence
        ? {
            intervals: confidenceIntervals(
              this.#metrics,
              joinBatches(this.#kept),
              confidence === true ? {} : confidence,
            ),
          }
        : {}),
    })
  }
}
