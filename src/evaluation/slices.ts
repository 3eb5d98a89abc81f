/** The same metrics on parts of the rows, and whether the parts are treated alike. @module */

import { ConfigError } from '../core/index.js'
import { type Column, type Columns, columnOf } from '../data/index.js'
import { type ConfusionMatrix, type Metric, type Predictions, ratio } from '../metrics/index.js'
import { computedOrUndefined } from './confidence.js'
import { selectRows } from './prediction-rows.js'

/** Values of one column that a report can show. */
const MAX_VALUES = 100

/** The rows that have one value in a column. */
export interface Slice {
  value: string
  rows: number
  /** By the metric's name; a metric that these rows do not define is missing. */
  values: Record<string, unknown>
  /** What the model does with these rows; of two classes, when the confusion matrix is among the metrics. */
  rates?: GroupRates
}

/** Shares of the rows of a group; of an empty part 0. */
export interface GroupRates {
  /** Taken for class 1, of all. */
  selectionRate: number
  /** Taken for class 1, of those that are. */
  truePositiveRate: number
  /** Taken for class 1, of those that are not. */
  falsePositiveRate: number
}

/** All slices of one column. */
export interface SliceTable {
  column: string
  slices: Slice[]
  /** Of two classes and several groups, when the confusion matrix is among the metrics. */
  fairness?: Fairness
}

/**
 * Largest gaps between groups; 0 is equal treatment.
 *
 * @see Hardt et al. 2016, https://arxiv.org/abs/1610.02413
 */
export interface Fairness {
  /** Between the shares taken for class 1. */
  demographicParityDifference: number
  /** The smallest of these shares over the largest: 1 is equal. */
  demographicParityRatio: number
  /** Between the true positive rates. */
  equalOpportunityDifference: number
  /** The larger of the gaps between true and between false positive rates. */
  equalizedOddsDifference: number
}

interface Group {
  rows: number
  states: unknown[]
}

/** Collects metrics of every value of a column, batch by batch. */
export class SliceCounter {
  readonly #column: string
  readonly #metrics: readonly Metric[]
  readonly #groups = new Map<string, Group>()

  constructor(column: string, metrics: readonly Metric[]) {
    this.#column = column
    this.#metrics = metrics
  }

  /** @throws {ConfigError} if the column has more than one value per row, or too many values. */
  take(columns: Columns, batch: Predictions): void {
    for (const [value, rows] of rowsByValue(columnOf(columns, this.#column, 'Evaluator'), this.#column)) {
      let group = this.#groups.get(value)
      if (!group) {
        group = { rows: 0, states: this.#metrics.map((metric) => metric.create()) }
        this.#groups.set(value, group)
      }
      if (this.#groups.size > MAX_VALUES)
        throw new ConfigError(`The column '${this.#column}' has too many values for slices.`, {
          expected: `at most ${MAX_VALUES}`,
          remedy: 'Put its values into few classes in a Preprocessor, or slice by another column',
        })
      const part = selectRows(batch, rows)
      group.rows += rows.length
      this.#metrics.forEach((metric, i) => {
        metric.update(group.states[i], part)
      })
    }
  }

  /** The table, values in order. */
  table(): SliceTable {
    const groups = [...this.#groups].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
    const slices = groups.map(([value, { rows, states }]): Slice => {
      const values = this.#metrics
        .map((metric, i) => [metric.name, computedOrUndefined(metric, states[i])] as const)
        .filter(([, computed]) => computed !== undefined)
      return { value, rows, values: Object.fromEntries(values) }
    })
    const matrices = slices.map(({ values }) => values.confusionMatrix as ConfusionMatrix | undefined)
    if (matrices.some((matrix) => matrix === undefined || matrix.length > 2)) return { column: this.#column, slices }
    slices.forEach((slice, i) => {
      slice.rates = ratesOf(matrices[i]!)
    })
    const rates = slices.flatMap(({ rates }) => rates ?? [])
    return { column: this.#column, slices, ...(rates.length > 1 ? { fairness: fairnessOf(rates) } : {}) }
  }
}

function rowsByValue({ data, shape }: Column, name: string): Map<string, number[]> {
  if (shape.length > 1 && shape.slice(1).some((length) => length !== 1))
    throw new ConfigError(`The column '${name}' cannot be sliced by.`, {
      expected: 'one value per row',
      received: `[${['rows', ...shape.slice(1)].join(', ')}]`,
    })
  const rows = new Map<string, number[]>()
  for (let row = 0; row < data.length; row++) {
    const value = String(data[row])
    const known = rows.get(value)
    if (known) known.push(row)
    else rows.set(value, [row])
  }
  return rows
}

function ratesOf(matrix: ConfusionMatrix): GroupRates {
  const at = (truth: number, predicted: number) => matrix[truth]?.[predicted] ?? 0
  const positives = at(1, 0) + at(1, 1)
  const negatives = at(0, 0) + at(0, 1)
  return {
    selectionRate: ratio(at(0, 1) + at(1, 1), positives + negatives),
    truePositiveRate: ratio(at(1, 1), positives),
    falsePositiveRate: ratio(at(0, 1), negatives),
  }
}

function fairnessOf(rates: readonly GroupRates[]): Fairness {
  const valuesOf = (rate: keyof GroupRates) => rates.map((group) => group[rate])
  const gap = (rate: keyof GroupRates) => Math.max(...valuesOf(rate)) - Math.min(...valuesOf(rate))
  const largest = Math.max(...valuesOf('selectionRate'))
  return {
    demographicParityDifference: gap('selectionRate'),
    demographicParityRatio: largest === 0 ? 1 : Math.min(...valuesOf('selectionRate')) / largest,
    equalOpportunityDifference: gap('truePositiveRate'),
    equalizedOddsDifference: Math.max(gap('truePositiveRate'), gap('falsePositiveRate')),
  }
}
