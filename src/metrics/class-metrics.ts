/** Metrics of predicted classes, or labels. @module */

import { ConfigError, withDefaults } from '../core/index.js'
import {
  type AverageOptions,
  averageDefaults,
  averageOf,
  type ClassValue,
  fBetaOf,
  jaccardOf,
  precisionOf,
  ratio,
  recallOf,
} from './averaging.js'
import { type ConfusionMatrix, countsOf, fromConfusion } from './confusion-matrix.js'
import { fromLabels, type LabelState, overLabels } from './label-counts.js'
import type { Metric } from './metric.js'

/** A metric of classes, or with `multilabel` of labels. */
export type ClassMetric<Result> = Metric<ConfusionMatrix | LabelState, Result>

/** What `accuracy` and `hammingLoss` take. */
export type LabelOptions = Pick<AverageOptions, 'multilabel' | 'threshold'>

/** Share of rows whose predicted class is the true one; with `multilabel`, whose labels are all right. */
export function accuracy(options: LabelOptions = {}): ClassMetric<number> {
  const { multilabel, threshold } = withDefaults('accuracy', options, { multilabel: undefined, threshold: undefined })
  if (multilabel) return overLabels('accuracy', threshold, ({ exact, weight }) => ratio(exact, weight))
  return fromConfusion('accuracy', (matrix) => rightShare(matrix))
}

/**
 * Mean over the classes of the recall, so that rare classes count as much as common ones. Classes without a true row
 * are left out.
 */
export function balancedAccuracy(): Metric<ConfusionMatrix, number> {
  return fromConfusion('balancedAccuracy', (matrix) => {
    const present = countsOf(matrix).filter(({ truePositives, falseNegatives }) => truePositives + falseNegatives > 0)
    return ratio(
      present.reduce((total, counts) => total + recallOf(counts), 0),
      present.length,
    )
  })
}

/** precision = true positives / predicted positives; 0 where nothing was predicted. */
export function precision(options: AverageOptions = {}): ClassMetric<number | number[]> {
  return eachClass('precision', precisionOf, options)
}

/** recall = true positives / actual positives; 0 where there are none. */
export function recall(options: AverageOptions = {}): ClassMetric<number | number[]> {
  return eachClass('recall', recallOf, options)
}

/**
 * f1 = 2 * precision * recall / (precision + recall)
 *
 * @example
 * new Evaluator({ metrics: [f1({ average: 'weighted' })] })
 */
export function f1(options: AverageOptions = {}): ClassMetric<number | number[]> {
  return eachClass('f1', fBetaOf(1), options)
}

/**
 * fBeta = (1 + beta^2) * precision * recall / (beta^2 * precision + recall): recall counts `beta` times as much as
 * precision.
 *
 * @param options - `beta` above 0.
 * @see van Rijsbergen 1979, Information Retrieval, chapter 7
 */
export function fBeta(options: AverageOptions & { beta: number }): ClassMetric<number | number[]> {
  const { beta, ...rest } = withDefaults('fBeta', options, { ...averageDefaults, beta: undefined })
  if (!(beta > 0))
    throw new ConfigError('beta of fBeta is out of range.', { expected: 'a number above 0', received: beta })
  return eachClass(`f${beta}`, fBetaOf(beta), rest)
}

/** jaccard = rows of a class that were found / rows that are of it or were taken for it. */
export function jaccard(options: AverageOptions = {}): ClassMetric<number | number[]> {
  return eachClass('jaccard', jaccardOf, options)
}

/** Share of labels that are wrong; for classes, of rows. */
export function hammingLoss(options: LabelOptions = {}): ClassMetric<number> {
  const { multilabel, threshold } = withDefaults('hammingLoss', options, {
    multilabel: undefined,
    threshold: undefined,
  })
  if (!multilabel) return fromConfusion('hammingLoss', (matrix) => 1 - rightShare(matrix))
  return overLabels('hammingLoss', threshold, (state) => {
    const wrong = state.labels.reduce(
      (sum, { falsePositives, falseNegatives }) => sum + falsePositives + falseNegatives,
      0,
    )
    return ratio(wrong, state.labels.length * state.weight)
  })
}

/**
 * Correlation of predicted and true classes: 1 when all are right, 0 when no better than chance. 0 where either has one
 * class only.
 *
 * @see Gorodkin 2004, https://doi.org/10.1016/j.compbiolchem.2004.09.006
 */
export function matthews(): Metric<ConfusionMatrix, number> {
  return fromConfusion('matthews', (matrix) => {
    const { actual, predicted, all } = margins(matrix)
    const right = trace(matrix)
    const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0)
    const spread = (all * all - dot(predicted, predicted)) * (all * all - dot(actual, actual))
    return spread <= 0 ? 0 : (right * all - dot(actual, predicted)) / Math.sqrt(spread)
  })
}

/**
 * Agreement of predicted and true classes beyond chance: 1 when all are right, 0 as by chance, and 0 where both have
 * one class only.
 *
 * @param options - `weights`: how far apart two classes are. 'linear' and 'quadratic' are for classes with an order.
 * @see Cohen 1960, https://doi.org/10.1177/001316446002000104
 */
export function cohenKappa(
  options: { weights?: 'none' | 'linear' | 'quadratic' } = {},
): Metric<ConfusionMatrix, number> {
  const { weights } = withDefaults('cohenKappa', options, { weights: 'none' })
  return fromConfusion('cohenKappa', (matrix) => {
    const { actual, predicted, all } = margins(matrix)
    let found = 0
    let byChance = 0
    matrix.forEach((row, i) => {
      row.forEach((value, j) => {
        const distance = weights === 'none' ? Number(i !== j) : Math.abs(i - j) ** (weights === 'linear' ? 1 : 2)
        found += distance * value
        byChance += (distance * actual[i]! * predicted[j]!) / all
      })
    })
    return byChance === 0 ? 0 : 1 - found / byChance
  })
}

function eachClass(name: string, value: ClassValue, options: AverageOptions): ClassMetric<number | number[]> {
  const { average, multilabel, threshold } = withDefaults(name, options, averageDefaults)
  if (multilabel) return fromLabels(name, value, { average, threshold })
  if (average === 'samples')
    throw new ConfigError("The average 'samples' needs rows with several labels.", { remedy: 'Pass multilabel: true' })
  return fromConfusion(name, (matrix) => averageOf(countsOf(matrix), value, average, false))
}

function margins(matrix: ConfusionMatrix) {
  const actual = matrix.map((row) => row.reduce((sum, value) => sum + value, 0))
  const predicted = matrix.map((_, i) => matrix.reduce((sum, row) => sum + row[i]!, 0))
  return { actual, predicted, all: actual.reduce((sum, value) => sum + value, 0) }
}

const trace = (matrix: ConfusionMatrix) => matrix.reduce((sum, row, i) => sum + row[i]!, 0)
const rightShare = (matrix: ConfusionMatrix) => ratio(trace(matrix), margins(matrix).all)
