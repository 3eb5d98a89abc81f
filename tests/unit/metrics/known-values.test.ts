/** Values printed in the documentation of torchmetrics and scikit-learn, or worked out by hand. */
import { describe, expect, it } from 'vitest'
import {
  bleu,
  calibrationError,
  cer,
  editDistance,
  evaluateTexts,
  hitRate,
  type Metric,
  meanAveragePrecision,
  mrr,
  ndcg,
  type Predictions,
  perplexity,
  precisionAtK,
  recallAtK,
  type TextMetric,
  wer,
} from '../../../src/metrics/index.js'

const compute = <Result>(metric: Metric<never, Result>, batch: Predictions): Result => {
  const state = metric.create()
  metric.update(state, batch)
  return metric.compute(state)
}

const rows = (values: number[][]) => ({ data: values.flat(), shape: [values.length, values[0]!.length] })

describe('rankings', () => {
  // torchmetrics' documentation of RetrievalMAP and its like: two queries of 3 and 4 items; -Infinity: no such item.
  const queries = {
    truth: rows([
      [0, 0, 1, 0],
      [0, 1, 0, 1],
    ]),
    scores: rows([
      [0.2, 0.3, 0.5, -Infinity],
      [0.1, 0.3, 0.5, 0.2],
    ]),
  }

  it.each([
    ['meanAveragePrecision', meanAveragePrecision(), 0.7917],
    ['mrr', mrr(), 0.75],
    ['recall at 2', recallAtK({ k: 2 }), 0.75],
    ['precision at 2', precisionAtK({ k: 2 }), 0.5],
    ['hit rate at 1', hitRate({ k: 1 }), 0.5],
    ['hit rate at 2', hitRate({ k: 2 }), 1],
  ] as const)('%s', (_, metric, expected) => {
    expect(compute(metric as Metric<never, number>, queries)).toBeCloseTo(expected, 4)
  })

  it('ndcg as in the documentation of scikit-learn, with ties', () => {
    const truth = rows([[10, 0, 0, 1, 5]])
    expect(compute(ndcg() as Metric<never, number>, { truth, scores: rows([[0.1, 0.2, 0.3, 4, 70]]) })).toBeCloseTo(
      0.69,
      1,
    )
    expect(
      compute(ndcg({ k: 4 }) as Metric<never, number>, { truth, scores: rows([[0.05, 1.1, 1, 0.5, 0]]) }),
    ).toBeCloseTo(0.35, 2)
    expect(compute(ndcg({ k: 1 }) as Metric<never, number>, { truth, scores: rows([[1, 0, 0, 0, 1]]) })).toBeCloseTo(
      0.75,
      10,
    )
  })
})

describe('calibration error, as in the documentation of torchmetrics', () => {
  it('of two classes', () => {
    const batch = {
      truth: { data: [0, 0, 1, 1, 1], shape: [5] },
      scores: { data: [0.25, 0.25, 0.55, 0.75, 0.75], shape: [5] },
    }
    expect(compute(calibrationError({ bins: 2 }) as Metric<never, number>, batch)).toBeCloseTo(0.29, 10)
  })

  it('of several', () => {
    const batch = {
      truth: { data: [0, 1, 2, 0], shape: [4] },
      scores: rows([
        [0.25, 0.2, 0.55],
        [0.55, 0.05, 0.4],
        [0.1, 0.3, 0.6],
        [0.9, 0.05, 0.05],
      ]),
    }
    expect(compute(calibrationError({ bins: 3 }) as Metric<never, number>, batch)).toBeCloseTo(0.2, 10)
  })
})

it('perplexity of equal probabilities is their number', () => {
  const batch = {
    truth: { data: [3, 1], shape: [2] },
    scores: rows([new Array(8).fill(1 / 8), new Array(8).fill(1 / 8)]),
  }
  expect(compute(perplexity() as Metric<never, number>, batch)).toBeCloseTo(8, 10)
})

describe('texts, as in the documentation of torchmetrics', () => {
  const predicted = ['this is the prediction', 'there is an other sample']
  const truth = ['this is the reference', 'there is another one']
  const metrics = [wer(), cer()] as TextMetric<unknown>[]

  it('word and character error rates', () => {
    const values = evaluateTexts({ truth, predicted }, metrics)
    expect(values.wer).toBeCloseTo(0.5, 10)
    expect(values.cer).toBeCloseTo(0.3415, 4)
  })

  it('bleu, with two right texts', () => {
    const pairs = {
      predicted: ['the cat is on the mat'],
      truth: [['there is a cat on the mat', 'a cat is on the mat']],
    }
    expect(evaluateTexts(pairs, [bleu()] as TextMetric<unknown>[]).bleu).toBeCloseTo(0.7598, 4)
  })

  it('parts, merged, give the same as all rows at once', () => {
    for (const metric of [wer(), cer(), bleu()] as TextMetric<unknown>[]) {
      const merged = metric.create()
      predicted.forEach((text, row) => {
        const state = metric.create()
        metric.update(state, { truth: [truth[row]!], predicted: [text] })
        metric.merge(merged, JSON.parse(JSON.stringify(state)))
      })
      expect(metric.compute(merged)).toBe(evaluateTexts({ truth, predicted }, [metric])[metric.name])
    }
  })

  it('edit distance of any sequences', () => {
    expect(editDistance('kitten', 'sitting')).toBe(3)
    expect(editDistance([1, 2, 3], [])).toBe(3)
    expect(editDistance('', '')).toBe(0)
  })
})
