/** Metrics of the probabilities of classes, each a mean over rows. @module */

import { checkWhole, withDefaults } from '../core/index.js'
import { meanOverRows, type WeightedSum } from './mean-over-rows.js'
import { classScoresFor, type Metric, type Predictions } from './metric.js'

/**
 * Share of rows whose true class is among the `k` most probable. Of equal scores the lower class comes first.
 *
 * @param options - `k`, default 5.
 */
export function topKAccuracy(options: { k?: number } = {}): Metric<WeightedSum, number> {
  const { k } = withDefaults('topKAccuracy', options, { k: 5 })
  checkWhole('k of topKAccuracy', k)
  const name = `top${k}Accuracy`
  return meanOverRows(name, (batch) => {
    const { classes, actual, scoreOf } = classScoresFor(name, batch)
    return (row) => {
      const own = scoreOf(row, actual[row]!)
      let before = 0
      for (let i = 0; i < classes; i++) {
        const other = scoreOf(row, i)
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
export const logLoss = (): Metric<WeightedSum, number> => meanOverRows('logLoss', surprises('logLoss'))

/** exp(logLoss): how many classes, equally probable, would be as surprising. For tokens of text, the usual measure. */
export const perplexity = (): Metric<WeightedSum, number> =>
  meanOverRows('perplexity', surprises('perplexity'), Math.exp)

/**
 * Squared distance of the probabilities from what came true: for two classes (p - y)^2 of the second, else the sum over
 * the classes; mean over rows.
 *
 * @see Brier 1950, https://doi.org/10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2
 */
export function brier(): Metric<WeightedSum, number> {
  return meanOverRows('brier', (batch) => {
    const { classes, actual, scoreOf } = classScoresFor('brier', batch)
    if (classes === 2) return (row) => (scoreOf(row, 1) - actual[row]!) ** 2
    return (row) => {
      let sum = 0
      for (let i = 0; i < classes; i++) sum += (scoreOf(row, i) - Number(actual[row] === i)) ** 2
      return sum
    }
  })
}

/** -log of the probability of what was true, of each row. */
const surprises = (name: string) => (batch: Predictions) => {
  const { classes, actual, scoreOf } = classScoresFor(name, batch)
  return (row: number) => {
    let total = 0
    for (let i = 0; i < classes; i++) total += clip(scoreOf(row, i))
    return -Math.log(clip(scoreOf(row, actual[row]!)) / total)
  }
}

const clip = (p: number) => Math.min(Math.max(p, Number.EPSILON), 1 - Number.EPSILON)
