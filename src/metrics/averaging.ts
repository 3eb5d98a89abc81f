/** From counts of several classes or labels to one value. @module */

import { ConfigError } from '../core/index.js'

/** How values of several classes become one. */
export type Average = 'macro' | 'micro' | 'weighted' | 'none' | 'binary' | 'samples'

/** Options of the metrics that judge each class against the rest. */
export interface AverageOptions {
  /**
   * - macro: mean over the classes that occur in the truth or the predictions, or over all labels.
   * - micro: from the counts of all classes together.
   * - weighted: mean over the classes, weighted by how often each is true.
   * - none: one value per class.
   * - binary: the value of class 1, of two.
   * - samples: mean over rows of the value within a row; with `multilabel` only.
   * @default 'macro'
   */
  average?: Average
  /**
   * Whether each row may have any number of labels: truth, and predictions or scores, are then `[rows, labels]`, the
   * truth 0 or 1.
   * @default false
   */
  multilabel?: boolean
  /** With `multilabel`: a label is predicted where its score is above this, 0 to 1. @default 0.5 */
  threshold?: number
}

/** Those options with their defaults. */
export const averageDefaults = { average: 'macro', multilabel: false, threshold: undefined } as const

/** Weight of the rows that are, or are not, of a class, and that were, or were not, taken for it. */
export interface ClassCounts {
  truePositives: number
  falsePositives: number
  falseNegatives: number
  trueNegatives: number
}

/** Scores of one class. */
export interface ClassScores {
  precision: number
  recall: number
  f1: number
  /** Weight of the rows that truly are of this class. */
  support: number
}

/** A value of one class's counts, 0 where there is nothing to divide by. */
export type ClassValue = (counts: ClassCounts) => number

/** Share of the rows taken for the class that are of it. */
export const precisionOf: ClassValue = ({ truePositives, falsePositives }) =>
  ratio(truePositives, truePositives + falsePositives)

/** Share of the rows of the class that were found. */
export const recallOf: ClassValue = ({ truePositives, falseNegatives }) =>
  ratio(truePositives, truePositives + falseNegatives)

/** Harmonic mean of precision and recall, recall counting `beta` times as much. */
export const fBetaOf =
  (beta: number): ClassValue =>
  ({ truePositives, falsePositives, falseNegatives }) => {
    const right = (1 + beta * beta) * truePositives
    return ratio(right, right + beta * beta * falseNegatives + falsePositives)
  }

/** Rows found over rows that are of the class, or were taken for it. */
export const jaccardOf: ClassValue = ({ truePositives, falsePositives, falseNegatives }) =>
  ratio(truePositives, truePositives + falsePositives + falseNegatives)

/** The usual scores of a class. */
export const scoresOf = (counts: ClassCounts): ClassScores => ({
  precision: precisionOf(counts),
  recall: recallOf(counts),
  f1: fBetaOf(1)(counts),
  support: counts.truePositives + counts.falseNegatives,
})

/**
 * One value of all classes.
 *
 * @param counts - Those of every class.
 * @param absentCount - Whether classes that occur nowhere take part in the macro average.
 * @throws {ConfigError} if `how` is 'binary' and there are more than two classes.
 */
export function averageOf(
  counts: readonly ClassCounts[],
  value: ClassValue,
  how: Exclude<Average, 'samples'>,
  absentCount: boolean,
): number | number[] {
  switch (how) {
    case 'none':
      return counts.map(value)
    case 'binary':
      if (counts.length > 2)
        throw new ConfigError("The average 'binary' is for two classes.", {
          expected: '2 classes',
          received: `${counts.length} classes`,
          remedy: "Use 'macro', 'micro' or 'weighted'",
        })
      return counts[1] ? value(counts[1]) : 0
    case 'micro':
      return value(counts.reduce(addCounts, noCounts()))
    case 'weighted': {
      const supports = counts.map(({ truePositives, falseNegatives }) => truePositives + falseNegatives)
      return ratio(sum(counts.map((each, i) => value(each) * supports[i]!)), sum(supports))
    }
    case 'macro': {
      const present = counts.filter(
        ({ truePositives, falsePositives, falseNegatives }) =>
          absentCount || truePositives + falsePositives + falseNegatives > 0,
      )
      return ratio(sum(present.map(value)), present.length)
    }
    default:
      return how satisfies never
  }
}

/** Counts of nothing. */
export const noCounts = (): ClassCounts => ({
  truePositives: 0,
  falsePositives: 0,
  falseNegatives: 0,
  trueNegatives: 0,
})

/** Counts of both. */
export const addCounts = (a: ClassCounts, b: ClassCounts): ClassCounts => ({
  truePositives: a.truePositives + b.truePositives,
  falsePositives: a.falsePositives + b.falsePositives,
  falseNegatives: a.falseNegatives + b.falseNegatives,
  trueNegatives: a.trueNegatives + b.trueNegatives,
})

/** A share, 0 of nothing. */
export const ratio = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole)

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
