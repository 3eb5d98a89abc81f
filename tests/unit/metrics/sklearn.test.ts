import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  accuracy,
  confusionMatrix,
  f1,
  logLoss,
  type Metric,
  mae,
  mse,
  type Predictions,
  precision,
  r2,
  recall,
  rmse,
  rocAuc,
  topKAccuracy,
  type Values,
} from '../../../src/metrics/index.js'

interface Case {
  truth: number[] | number[][]
  scores?: number[][]
  predicted?: number[][]
  weights: number[]
  expected: Record<'plain' | 'weighted', Record<string, number | number[] | number[][]>>
}

const golden = JSON.parse(
  readFileSync(new URL('../../golden/sklearn/metrics.json', import.meta.url), 'utf8'),
) as Record<'binary' | 'multiclass' | 'regression', Case>

const metrics: Record<string, Metric> = {}
const add = (key: string, metric: unknown) => {
  metrics[key] = metric as Metric
}
for (const average of ['macro', 'micro', 'weighted', 'none'] as const) {
  add(`precision.${average}`, precision({ average }))
  add(`recall.${average}`, recall({ average }))
  add(`f1.${average}`, f1({ average }))
}
for (const metric of [accuracy(), confusionMatrix(), logLoss(), rocAuc(), topKAccuracy({ k: 2 })])
  add(metric.name, metric)
for (const metric of [mse(), rmse(), mae(), r2()]) add(metric.name, metric)

const valuesOf = (rows: number[] | number[][]): Values => ({
  data: (rows as number[][]).flat(),
  shape: Array.isArray(rows[0]) ? [rows.length, rows[0].length] : [rows.length],
})

/** Rows `from` to `to` of a case. */
function part(
  { truth, scores, predicted, weights }: Case,
  weighted: boolean,
  from = 0,
  to = truth.length,
): Predictions {
  return {
    truth: valuesOf(truth.slice(from, to) as number[]),
    ...(scores ? { scores: valuesOf(scores.slice(from, to)) } : {}),
    ...(predicted ? { predicted: valuesOf(predicted.slice(from, to)) } : {}),
    ...(weighted ? { weights: weights.slice(from, to) } : {}),
  }
}

const flat = (value: unknown) => [value].flat(3) as number[]

describe.each(Object.entries(golden).filter(([name]) => name !== 'sklearn'))('%s', (_, sample) => {
  for (const mode of ['plain', 'weighted'] as const)
    it.each(Object.entries(sample.expected[mode]))(`%s agrees with scikit-learn (${mode})`, (name, expected) => {
      const metric = metrics[name]!
      const whole = metric.create()
      metric.update(whole, part(sample, mode === 'weighted'))
      // Uneven parts, and a state that went through JSON as between processes.
      const merged = metric.create()
      for (const [from, to] of [
        [0, 1],
        [1, 24],
        [24, sample.truth.length],
      ] as const) {
        const state = metric.create()
        metric.update(state, part(sample, mode === 'weighted', from, to))
        metric.merge(merged, JSON.parse(JSON.stringify(state)))
      }
      for (const state of [whole, merged]) {
        const actual = flat(metric.compute(state))
        expect(actual).toHaveLength(flat(expected).length)
        flat(expected).forEach((value, i) => {
          expect(Math.abs(actual[i]! - value)).toBeLessThanOrEqual(1e-10 * Math.max(1, Math.abs(value)))
        })
      }
    })
})

it('names the metric that needs scores', () => {
  const metric = rocAuc()
  expect(() => metric.update(metric.create(), { truth: valuesOf([0, 1]), predicted: valuesOf([0, 1]) })).toThrow(
    /'rocAuc' needs the probabilities/,
  )
})
