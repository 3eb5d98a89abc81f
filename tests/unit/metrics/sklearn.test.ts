import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { AverageOptions, Metric, Predictions, RankOptions, Values } from '../../../src/metrics/index.js'
import * as metrics from '../../../src/metrics/index.js'

interface Case {
  truth: number[] | number[][]
  scores?: number[][]
  predicted?: number[][]
  weights: number[]
  expected: Record<'plain' | 'weighted', Record<string, unknown>>
}

const { sklearn: _, ...golden } = JSON.parse(
  readFileSync(new URL('../../golden/sklearn/metrics.json', import.meta.url), 'utf8'),
) as Record<string, Case>

const makers = Object.fromEntries(Object.entries(metrics)) as unknown as Record<
  string,
  (options: AverageOptions | RankOptions) => Metric
>

/** The metric of a golden's key, such as 'precision.macro'. */
function metricOf(key: string, multilabel: boolean): Metric {
  const [name, ...options] = key.split('.') as [string, ...string[]]
  const option = options.join('.')
  switch (name) {
    case 'f2':
      return metrics.fBeta({ beta: 2, average: option as 'macro', multilabel })
    case 'top2Accuracy':
      return metrics.topKAccuracy({ k: 2 }) as Metric
    case 'cohenKappa':
      return metrics.cohenKappa({ weights: option as 'linear' }) as Metric
    case 'pinball':
      return metrics.pinball({ alpha: Number(option) }) as Metric
    case 'ndcg':
      return metrics.ndcg(option ? { k: Number(option) } : {}) as Metric
    case 'calibrationCurve':
      return shaped(metrics.calibrationCurve(), ({ predicted, observed }) => [predicted, observed])
    case 'rocCurve':
      return shaped(metrics.rocCurve(), ([curve]) => [
        curve!.falsePositiveRate,
        curve!.truePositiveRate,
        curve!.thresholds,
      ])
    case 'precisionRecallCurve':
      return shaped(metrics.precisionRecallCurve(), ([curve]) => [curve!.precision, curve!.recall, curve!.thresholds])
    case 'rocAuc':
      return options[0] === 'ovo'
        ? (metrics.rocAuc({ multiclass: 'ovo', average: options[1] as 'macro' }) as Metric)
        : (metrics.rocAuc({ ...(option ? { average: option as 'macro' } : {}), multilabel }) as Metric)
    default: {
      return makers[name]!({ ...(option ? { average: option as 'macro' } : {}), ...(multilabel ? { multilabel } : {}) })
    }
  }
}

const shaped = <State, Result>(metric: Metric<State, Result>, shape: (result: Result) => unknown): Metric =>
  ({ ...metric, compute: (state: State) => shape(metric.compute(state)) }) as Metric

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

describe.each(Object.entries(golden))('%s', (name, sample) => {
  const rows = sample.truth.length
  for (const mode of ['plain', 'weighted'] as const)
    it.each(Object.entries(sample.expected[mode]))(`%s agrees with scikit-learn (${mode})`, (key, expected) => {
      const metric = metricOf(key, name === 'labels')
      const whole = metric.create()
      metric.update(whole, part(sample, mode === 'weighted'))
      // Uneven parts, and a state that went through JSON as between processes.
      const merged = metric.create()
      const third = Math.ceil(rows / 3)
      for (const [from, to] of [
        [0, 1],
        [1, third],
        [third, rows],
      ] as const) {
        if (from >= to) continue
        const state = metric.create()
        metric.update(state, part(sample, mode === 'weighted', from, to))
        metric.merge(merged, JSON.parse(JSON.stringify(state)))
      }
      for (const state of [whole, merged]) {
        const actual = flat(metric.compute(state))
        expect(actual).toHaveLength(flat(expected).length)
        flat(expected).forEach((value, i) => {
          expect(Math.abs(actual[i]! - value)).toBeLessThanOrEqual(1e-9 * Math.abs(value) + 1e-12)
        })
      }
    })
})
