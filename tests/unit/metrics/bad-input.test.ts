/** Wrong options and wrong data: each one clear error. */
import { describe, expect, it } from 'vitest'
import type { Metric, Predictions } from '../../../src/metrics/index.js'
import * as m from '../../../src/metrics/index.js'

const two: Predictions = { truth: { data: [0, 1], shape: [2] }, scores: { data: [0.2, 0.9], shape: [2] } }

/** Takes a batch in and computes. */
const run = (metric: unknown, batch: Predictions) => () => {
  const { create, update, compute } = metric as Metric
  const state = create()
  update(state, batch)
  return compute(state)
}

describe('options out of range', () => {
  it.each([
    [() => m.fBeta({ beta: 0 }), /beta of fBeta.*above 0/s],
    [() => m.precision({ average: 'samples' }), /'samples' needs rows with several labels/],
    [() => m.f1({ multilabel: true, threshold: 2 }), /threshold.*0 to 1/s],
    [() => m.calibrationError({ bins: 0 }), /bins of calibrationError/],
    [() => m.calibrationCurve({ bins: 2.5 }), /bins of calibrationCurve/],
    [() => m.pinball({ alpha: 1.5 }), /alpha of pinball/],
    [() => m.huberLoss({ delta: 0 }), /delta of huberLoss/],
    [() => m.topKAccuracy({ k: 0 }), /k of topKAccuracy is out of range/],
    [() => m.ndcg({ k: 0 }), /k of ndcg/],
    [() => m.recallAtK({ k: -1 }), /k of recallAt-1/],
    [() => m.bleu({ maxOrder: 0 }), /maxOrder of bleu/],
    [() => m.rocAuc({ multiclass: 'ovo', average: 'micro' }), /pairs of classes/],
    [() => m.rocAuc({ multiclass: 'ovo', multilabel: true }), /one class per row/],
  ])('%#', (make, message) => {
    expect(make).toThrow(message)
  })
})

describe('data that a metric cannot judge', () => {
  it.each([
    ['no scores', m.rocAuc(), { truth: two.truth, predicted: two.truth }, /'rocAuc' needs the probabilities/],
    [
      'one class only',
      m.rocAuc(),
      { ...two, truth: { data: [1, 1], shape: [2] } },
      /'rocAuc' is not defined.*one of the two/s,
    ],
    ['no row of the class', m.averagePrecision(), { ...two, truth: { data: [0, 0], shape: [2] } }, /not defined/],
    [
      'a class that is no number',
      m.accuracy(),
      { ...two, truth: { data: [0, 0.5], shape: [2] } },
      /Row 1 holds no class/,
    ],
    ...[m.rocAuc(), m.averagePrecision(), m.topKAccuracy({ k: 1 }), m.logLoss(), m.brier(), m.accuracy(), m.ndcg()].map(
      (metric) => [
        `NaN for '${metric.name}'`,
        metric,
        { truth: { data: [0, 1], shape: [1, 2] }, scores: { data: [0.5, Number.NaN], shape: [1, 2] } },
        /score of row 0 is not a number/,
      ],
    ),
    ...[m.topKAccuracy({ k: 1 }), m.logLoss(), m.perplexity(), m.brier()].map((metric) => [
      `a class without a score for '${metric.name}'`,
      metric,
      { truth: { data: [1, 3], shape: [2] }, scores: { data: [0.2, 0.5, 0.3, 0.1, 0.1, 0.8], shape: [2, 3] } },
      /true class of row 1 has no score.*0 to 2/s,
    ]),
    [
      'unequal rows',
      m.mse(),
      { truth: two.truth, predicted: { data: [1], shape: [1] } },
      /predicted values do not match/,
    ],
    ['unequal weights', m.mse(), { truth: two.truth, predicted: two.truth, weights: [1] }, /weights do not match/],
    ['no predictions', m.mae(), { truth: two.truth }, /no predictions/],
    [
      'unequal outputs',
      m.r2(),
      { truth: two.truth, predicted: { data: [1, 2, 3, 4], shape: [2, 2] } },
      /1 values per row/,
    ],
    [
      'scores that are no probabilities',
      m.calibrationError(),
      { ...two, scores: { data: [3, 0.5], shape: [2] } },
      /row 0 is not a probability/,
    ],
    [
      'a count below 0',
      m.poissonDeviance(),
      { truth: { data: [-1], shape: [1] }, predicted: { data: [1], shape: [1] } },
      /is for counts/,
    ],
    [
      'a rate of 0',
      m.poissonDeviance(),
      { truth: { data: [1], shape: [1] }, predicted: { data: [0], shape: [1] } },
      /above 0/,
    ],
    [
      'labels that are neither',
      m.f1({ multilabel: true }),
      { truth: { data: [0, 2], shape: [1, 2] }, scores: { data: [0, 1], shape: [1, 2] } },
      /Label 1 of row 0/,
    ],
    [
      'unequal labels',
      m.f1({ multilabel: true }),
      { truth: { data: [0, 1], shape: [1, 2] }, scores: { data: [0], shape: [1, 1] } },
      /2 labels per row/,
    ],
    [
      'labels without predictions',
      m.hammingLoss({ multilabel: true }),
      { truth: { data: [0, 1], shape: [1, 2] } },
      /no predictions/,
    ],
    [
      'relevance below 0',
      m.ndcg(),
      { truth: { data: [-1, 1], shape: [1, 2] }, scores: { data: [0, 1], shape: [1, 2] } },
      /relevance of item 0 of row 0/,
    ],
    [
      'items without scores',
      m.mrr(),
      { truth: { data: [0, 1], shape: [1, 2] }, scores: { data: [0], shape: [1, 1] } },
      /a score for each item/,
    ],
    [
      "'binary' of three classes",
      m.f1({ average: 'binary' }),
      { truth: { data: [0, 2], shape: [2] }, predicted: { data: [0, 1], shape: [2] } },
      /for two classes/,
    ],
  ] as [string, unknown, Predictions, RegExp][])('%s', (_, metric, batch, message) => {
    expect(run(metric, batch)).toThrow(message)
  })

  it('texts in unequal numbers, and several right texts for an error rate', () => {
    const wer = [m.wer()] as m.TextMetric<unknown>[]
    expect(() => m.evaluateTexts({ truth: ['a'], predicted: [] }, wer)).toThrow(/1 rows/)
    expect(() => m.evaluateTexts({ truth: [['a', 'b']], predicted: ['a'] }, wer)).toThrow(/one right text per row/)
  })
})

it('a single score per row is that of the second of two classes', () => {
  const batch = { truth: { data: [0, 1, 1], shape: [3] }, scores: { data: [0.2, 0.9, 0.4], shape: [3, 1] } }
  expect(run(m.topKAccuracy({ k: 1 }), batch)()).toBeCloseTo(2 / 3, 12)
  expect(run(m.logLoss(), batch)()).toBeCloseTo(-(Math.log(0.8) + Math.log(0.9) + Math.log(0.4)) / 3, 12)
})

it('merging leaves the other state as it was', () => {
  const metric = m.r2()
  const batch = { truth: { data: [1, 2], shape: [2] }, predicted: { data: [1, 3], shape: [2] } }
  const other = metric.create()
  metric.update(other, batch)
  const before = JSON.stringify(other)
  const into = metric.create()
  metric.merge(into, other)
  metric.update(into, batch)
  expect(JSON.stringify(other)).toBe(before)
})
