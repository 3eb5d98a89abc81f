/** Curves over all thresholds, as data for plots. @module */

import { withDefaults } from '../core/index.js'
import { ratio } from './averaging.js'
import { cutsOf, fromKeptScores, type KeptScores, type KeptScoresOptions, type ScoredRows } from './kept-scores.js'
import type { Metric } from './metric.js'

/** One point for each threshold, from the highest down. The first is above all scores: nothing is taken. */
export interface RocCurve {
  /** Share of the rows that are not of the class, but taken for it. */
  falsePositiveRate: number[]
  /** Share of the rows of the class that are taken for it. */
  truePositiveRate: number[]
  /** A row is taken for the class when its score is at least this. The first is the highest score plus 1. */
  thresholds: number[]
}

/** One point for each threshold, from the lowest up; a last one without a threshold has precision 1 and recall 0. */
export interface PrecisionRecallCurve {
  precision: number[]
  recall: number[]
  thresholds: number[]
}

/** The ROC curve of every class; of two classes that of the second alone. Points on a straight line are left out. */
export function rocCurve(options: KeptScoresOptions = {}): Metric<KeptScores, RocCurve[]> {
  return overColumns('rocCurve', options, (state, column) => {
    const cuts = cutsOf(state, column)
    const end = cuts[cuts.length - 1] ?? { truePositives: 0, falsePositives: 0 }
    const points = [{ score: (cuts[0]?.score ?? 0) + 1, truePositives: 0, falsePositives: 0 }, ...cuts]
    const kept = points.filter((point, i) => {
      const [before, after] = [points[i - 1], points[i + 1]]
      if (!before || !after) return true
      // Slopes are compared as products: counts of unweighted rows are whole, so that this is exact.
      const rise = (after.truePositives - point.truePositives) * (point.falsePositives - before.falsePositives)
      const run = (point.truePositives - before.truePositives) * (after.falsePositives - point.falsePositives)
      return rise !== run
    })
    return {
      falsePositiveRate: kept.map(({ falsePositives }) => ratio(falsePositives, end.falsePositives)),
      truePositiveRate: kept.map(({ truePositives }) => ratio(truePositives, end.truePositives)),
      thresholds: kept.map(({ score }) => score),
    }
  })
}

/** Precision and recall of every class at each threshold; of two classes those of the second alone. */
export function precisionRecallCurve(options: KeptScoresOptions = {}): Metric<KeptScores, PrecisionRecallCurve[]> {
  return overColumns('precisionRecallCurve', options, (state, column) => {
    const cuts = cutsOf(state, column).reverse()
    const all = cuts[0]?.truePositives ?? 0
    return {
      precision: [...cuts.map((cut) => cut.truePositives / (cut.truePositives + cut.falsePositives)), 1],
      // Without a row of the class there is nothing to find: all of it is found.
      recall: [...cuts.map((cut) => (all === 0 ? 1 : cut.truePositives / all)), 0],
      thresholds: cuts.map(({ score }) => score),
    }
  })
}

function overColumns<Curve>(
  name: string,
  options: KeptScoresOptions,
  curveOf: (scored: ScoredRows, column: number) => Curve,
): Metric<KeptScores, Curve[]> {
  return fromKeptScores(name, withDefaults(name, options, { multilabel: false }), (state) =>
    Array.from({ length: state.columns }, (_, column) => curveOf(state, column)),
  )
}
