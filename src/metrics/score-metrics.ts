/** Metrics that need the probabilities of the classes. @module */

import { ConfigError } from '../core/index.js'
import { type Metric, type Predictions, rowsIn, scoresFor, trueClasses, widthOf } from './metric.js'

/** A sum over rows and the weight of these rows. */
export interface WeightedSum {
  sum: number
  weight: number
}

/** Every row seen, because a rank is only known when all rows are. */
export interface RankState {
  classes: number
  labels: number[]
  weights: number[]
  /** Row by row, one per class; a single one for two classes. */
  scores: number[]
}

/**
 * Share of rows whose true class is among the `k` most probable. Of equal scores the lower class comes first.
 *
 * @param options - `k`, default 5.
 */
export function topKAccuracy({ k = 5 }: { k?: number } = {}): Metric<WeightedSum, number> {
  if (!Number.isInteger(k) || k < 1)
    throw new ConfigError('topKAccuracy needs a count.', { expected: 'an integer of at least 1', received: k })
  const name = `top${k}Accuracy`
  return meanOverRows(name, (batch) => {
    const scores = scoresFor(name, batch)
    const width = widthOf(scores)
    const actual = trueClasses(batch)
    return (row) => {
      const own = scores.data[row * width + actual[row]!]!
      let before = 0
      for (let i = 0; i < width; i++) {
        const other = scores.data[row * width + i]!
        if (other > own || (other === own && i < actual[row]!)) before++
      }
      return before < k ? 1 : 0
    }
  })
}

/**
 * -log of the probability of the true class, in nats, mean over rows. Probabilities are clipped to
 * `2.2e-16 .. 1 - 2.2e-16` and those of a row scaled to a sum of 1, as scikit-learn does.
 */
export function logLoss(): Metric<WeightedSum, number> {
  return meanOverRows('logLoss', (batch) => {
    const scores = scoresFor('logLoss', batch)
    const width = widthOf(scores)
    const actual = trueClasses(batch)
    return (row) => {
      if (width === 1) {
        const p = clip(scores.data[row]!)
        return -Math.log(actual[row] === 1 ? p : 1 - p)
      }
      let total = 0
      for (let i = 0; i < width; i++) total += clip(scores.data[row * width + i]!)
      return -Math.log(clip(scores.data[row * width + actual[row]!]!) / total)
    }
  })
}

/**
 * Area under the ROC curve: the probability that a row of the class scores above one that is not, ties counting half.
 * With more than two classes the mean over one class against the rest, for classes that have rows on both sides.
 */
export function rocAuc(): Metric<RankState, number> {
  return {
    name: 'rocAuc',
    create: () => ({ classes: 0, labels: [], weights: [], scores: [] }),
    update(state, batch) {
      const rows = rowsIn(batch)
      const scores = scoresFor('rocAuc', batch)
      const actual = trueClasses(batch)
      const width = widthOf(scores)
      state.classes = width === 2 ? 1 : width
      for (let row = 0; row < rows; row++) {
        state.labels.push(actual[row]!)
        state.weights.push(batch.weights?.[row] ?? 1)
        if (width === 2) state.scores.push(scores.data[row * 2 + 1]!)
        else for (let i = 0; i < width; i++) state.scores.push(scores.data[row * width + i]!)
      }
    },
    merge(into, other) {
      into.classes = Math.max(into.classes, other.classes)
      for (const key of ['labels', 'weights', 'scores'] as const) for (const value of other[key]) into[key].push(value)
    },
    compute(state) {
      if (state.classes === 1) return areaUnderCurve(state, 0, 1)
      const areas = Array.from({ length: state.classes }, (_, i) => areaUnderCurve(state, i, i))
      const known = areas.filter((area) => !Number.isNaN(area))
      return known.reduce((total, area) => total + area, 0) / known.length
    },
  }
}

/** NaN when one side has no row. */
function areaUnderCurve({ classes, labels, weights, scores }: RankState, column: number, positive: number): number {
  const order = labels
    .map((_, row) => row)
    .sort((a, b) => scores[a * classes + column]! - scores[b * classes + column]!)
  let negatives = 0
  let positives = 0
  let above = 0
  for (let start = 0; start < order.length; ) {
    const score = scores[order[start]! * classes + column]
    let tiedPositives = 0
    let tiedNegatives = 0
    let end = start
    for (; end < order.length && scores[order[end]! * classes + column] === score; end++) {
      const row = order[end]!
      if (labels[row] === positive) tiedPositives += weights[row]!
      else tiedNegatives += weights[row]!
    }
    above += tiedPositives * (negatives + tiedNegatives / 2)
    positives += tiedPositives
    negatives += tiedNegatives
    start = end
  }
  return above / (positives * negatives)
}

function meanOverRows(
  name: string,
  prepare: (batch: Predictions) => (row: number) => number,
): Metric<WeightedSum, number> {
  return {
    name,
    create: () => ({ sum: 0, weight: 0 }),
    update(state, batch) {
      const rows = rowsIn(batch)
      const rowValue = prepare(batch)
      for (let row = 0; row < rows; row++) {
        const weight = batch.weights?.[row] ?? 1
        state.sum += weight * rowValue(row)
        state.weight += weight
      }
    },
    merge(into, other) {
      into.sum += other.sum
      into.weight += other.weight
    },
    compute: ({ sum, weight }) => (weight === 0 ? 0 : sum / weight),
  }
}

const clip = (p: number) => Math.min(Math.max(p, Number.EPSILON), 1 - Number.EPSILON)
