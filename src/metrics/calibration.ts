/**
 * Whether probabilities mean what they say: of rows given 0.8, are 80 % right?
 *
 * With two classes the probability is that of the second; with more, that of the most probable class.
 * @module
 */

import { checkWhole, DataError, withDefaults } from '../core/index.js'
import { type Metric, type Predictions, predictedClasses, rowsIn, scoresFor, trueClasses, widthOf } from './metric.js'

/** Sums of the rows whose probability falls into each bin. */
export interface BinSums {
  weight: number[]
  probability: number[]
  right: number[]
}

/** One point per bin that has rows. */
export interface CalibrationCurve {
  /** Mean probability of the rows of a bin. */
  predicted: number[]
  /** Share of them that came true. */
  observed: number[]
  /** Weight of them. */
  weight: number[]
}

/** Options of the metrics of calibration. */
export interface CalibrationOptions {
  /** Bins of equal width over 0 to 1, each closed at its upper end. */
  bins?: number
}

/** The points of a reliability diagram. @param options - `bins`, default 10. */
export const calibrationCurve = (options: CalibrationOptions = {}): Metric<BinSums, CalibrationCurve> =>
  fromBins(
    'calibrationCurve',
    withDefaults('calibrationCurve', options, { bins: 10 }),
    ({ weight, probability, right }) => {
      const filled = weight.map((_, bin) => bin).filter((bin) => weight[bin]! > 0)
      return {
        predicted: filled.map((bin) => probability[bin]! / weight[bin]!),
        observed: filled.map((bin) => right[bin]! / weight[bin]!),
        weight: filled.map((bin) => weight[bin]!),
      }
    },
  )

/**
 * Expected calibration error: mean over the bins, by weight, of |share that came true - mean probability|.
 *
 * @param options - `bins`, default 15.
 * @see Guo et al. 2017, https://arxiv.org/abs/1706.04599
 */
export const calibrationError = (options: CalibrationOptions = {}): Metric<BinSums, number> =>
  fromBins(
    'calibrationError',
    withDefaults('calibrationError', options, { bins: 15 }),
    ({ weight, probability, right }) => {
      const all = weight.reduce((sum, each) => sum + each, 0)
      const gaps = weight.map((_, bin) => Math.abs(right[bin]! - probability[bin]!))
      return all === 0 ? 0 : gaps.reduce((sum, gap) => sum + gap, 0) / all
    },
  )

function fromBins<Result>(
  name: string,
  { bins }: Required<CalibrationOptions>,
  compute: (sums: BinSums) => Result,
): Metric<BinSums, Result> {
  checkWhole(`bins of ${name}`, bins)
  const zeros = () => new Array<number>(bins).fill(0)
  return {
    name,
    create: () => ({ weight: zeros(), probability: zeros(), right: zeros() }),
    update: (state, batch) => count(state, batch, name),
    merge(into, other) {
      for (const key of ['weight', 'probability', 'right'] as const)
        other[key].forEach((value, bin) => {
          into[key][bin]! += value
        })
    },
    compute,
  }
}

function count(sums: BinSums, batch: Predictions, name: string): void {
  const rows = rowsIn(batch)
  const scores = scoresFor(name, batch)
  const width = widthOf(scores)
  const actual = trueClasses(batch)
  const taken = width > 2 ? predictedClasses({ truth: batch.truth, scores }) : undefined
  const bins = sums.weight.length
  for (let row = 0; row < rows; row++) {
    const chosen = taken ? taken[row]! : 1
    const probability = scores.data[row * width + (width === 1 ? 0 : chosen)]!
    if (!(probability >= 0 && probability <= 1))
      throw new DataError(`The score of row ${row} is not a probability.`, {
        expected: '0 to 1',
        received: probability,
        remedy: `'${name}' needs probabilities: apply softmax or sigmoid to the scores`,
      })
    const weight = batch.weights?.[row] ?? 1
    let bin = 0
    while (bin < bins - 1 && probability > (bin + 1) / bins) bin++
    sums.weight[bin]! += weight
    sums.probability[bin]! += weight * probability
    if (actual[row] === chosen) sums.right[bin]! += weight
  }
}
