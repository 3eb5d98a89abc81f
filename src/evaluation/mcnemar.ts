/** Are two classifiers differently good on the same rows? @module */

import { ShapeError } from '../core/index.js'

/** Right or wrong answers of two models to the same rows. */
export interface Answers {
  /** True class of every row. */
  truth: ArrayLike<number>
  /** Class that each model gives it. */
  first: ArrayLike<number>
  second: ArrayLike<number>
}

/** What McNemar's test found. */
export interface McNemarResult {
  /** Rows that only the first model got right. */
  onlyFirst: number
  /** Rows that only the second got right. */
  onlySecond: number
  /** Probability of a gap at least as large between models that are equally good. */
  pValue: number
}

/**
 * McNemar's exact test: of the rows that one model alone got right, is it one model more often than by chance?
 *
 * @throws {ShapeError} if the arrays have unequal lengths.
 * @see McNemar 1947, https://doi.org/10.1007/BF02295996
 */
export function mcnemar({ truth, first, second }: Answers): McNemarResult {
  for (const answers of [first, second])
    if (answers.length !== truth.length)
      throw new ShapeError('The answers of a model do not match the truth.', {
        expected: `${truth.length} rows`,
        received: `${answers.length} rows`,
      })
  let onlyFirst = 0
  let onlySecond = 0
  for (let row = 0; row < truth.length; row++) {
    const [a, b] = [first[row] === truth[row], second[row] === truth[row]]
    if (a && !b) onlyFirst++
    if (b && !a) onlySecond++
  }
  const pValue = Math.min(1, 2 * binomialTail(Math.min(onlyFirst, onlySecond), onlyFirst + onlySecond))
  return { onlyFirst, onlySecond, pValue }
}

/** Probability of at most `count` heads in `throws` of a fair coin. */
function binomialTail(count: number, throws: number): number {
  let logTerm = -throws * Math.LN2
  let sum = Math.exp(logTerm)
  for (let k = 1; k <= count; k++) {
    logTerm += Math.log((throws - k + 1) / k)
    sum += Math.exp(logTerm)
  }
  return sum
}
