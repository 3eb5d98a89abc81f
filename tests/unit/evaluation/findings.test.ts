import '@tensorflow/tfjs-backend-cpu'
import { readFileSync } from 'node:fs'
import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { Dataset } from '../../../src/data/index.js'
import {
  Evaluator,
  evaluatePredictions,
  findThreshold,
  mcnemar,
  pairedBootstrap,
  permutationImportance,
} from '../../../src/evaluation/index.js'
import { accuracy, confusionMatrix, f1, type Metric, rocAuc } from '../../../src/metrics/index.js'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

interface Case {
  truth: number[]
  scores: number[][]
}

/** Predictions of scikit-learn on held-out rows of real data. */
const golden = JSON.parse(
  readFileSync(new URL('../../golden/sklearn/metrics.json', import.meta.url), 'utf8'),
) as Record<string, Case>
const { truth, scores } = golden['breast cancer']!
const batch = {
  truth: { data: truth, shape: [truth.length] },
  scores: { data: scores.flat(), shape: [scores.length, 2] },
}

describe('confidence', () => {
  const report = evaluatePredictions({ truth, scores }, [accuracy(), rocAuc(), confusionMatrix()], {
    confidence: { resamples: 400, seed: 5 },
  })

  it('of an accuracy is as wide as the binomial distribution says', () => {
    const value = report.values.accuracy as number
    const [low, high] = report.intervals.accuracy!
    const deviation = Math.sqrt((value * (1 - value)) / truth.length)
    expect(low).toBeLessThan(value)
    expect(high).toBeGreaterThanOrEqual(value)
    expect((high - low) / (2 * 1.96 * deviation)).toBeGreaterThan(0.7)
    expect((high - low) / (2 * 1.96 * deviation)).toBeLessThan(1.3)
  })

  it('is the same for the same seed, and only for what is one number', () => {
    const again = evaluatePredictions({ truth, scores }, [accuracy(), rocAuc(), confusionMatrix()], {
      confidence: { resamples: 400, seed: 5 },
    })
    expect(again.intervals).toEqual(report.intervals)
    expect(Object.keys(report.intervals)).toEqual(['accuracy', 'rocAuc'])
    expect(report.toText()).toMatch(/accuracy\s+0\.\d{4}\s+0\.\d{4} to \d\.\d{4}/)
  })

  it('has no interval where most samples do not define the metric', () => {
    const rare = { truth: [1, ...new Array<number>(9).fill(0)], scores: Array.from({ length: 10 }, (_, i) => i / 10) }
    const { intervals, values } = evaluatePredictions(rare, [rocAuc()], { confidence: true })
    expect(values.rocAuc).toBe(0)
    expect(intervals).toEqual({})
  })

  it.each([[{ level: 1 }], [{ level: 0 }], [{ resamples: 0 }]])('refuses %o', (confidence) => {
    expect(() => evaluatePredictions({ truth, scores }, [accuracy()], { confidence })).toThrow(/out of range/)
  })
})

describe('slices', () => {
  const groups = truth.map((_, row) => (row % 3 === 0 ? 'b' : 'a'))
  const report = evaluatePredictions({ truth, scores }, [f1(), rocAuc(), confusionMatrix()], {
    slices: { group: groups },
  })

  it('are what the metrics say of their rows alone', () => {
    for (const { value, rows, values } of report.slices[0]!.slices) {
      const own = truth.map((_, row) => row).filter((row) => groups[row] === value)
      const alone = evaluatePredictions(
        { truth: own.map((row) => truth[row]!), scores: own.map((row) => scores[row]!) },
        [f1(), rocAuc(), confusionMatrix()],
      )
      expect(rows).toBe(own.length)
      expect(values).toEqual(alone.values)
    }
  })

  it('tell how alike groups are treated', () => {
    // Worked by hand: of group a two of four are taken, one of the two of class 1; of group b one of two, rightly.
    const { slices } = evaluatePredictions(
      { truth: [1, 1, 0, 0, 1, 0], predicted: [1, 0, 1, 0, 1, 0] },
      [confusionMatrix()],
      { slices: { group: ['a', 'a', 'a', 'a', 'b', 'b'] } },
    )
    expect(slices[0]!.slices.map(({ rates }) => rates)).toEqual([
      { selectionRate: 0.5, truePositiveRate: 0.5, falsePositiveRate: 0.5 },
      { selectionRate: 0.5, truePositiveRate: 1, falsePositiveRate: 0 },
    ])
    expect(slices[0]!.fairness).toEqual({
      demographicParityDifference: 0,
      demographicParityRatio: 1,
      equalOpportunityDifference: 0.5,
      equalizedOddsDifference: 0.5,
    })
  })

  it('leave out a metric that their rows do not define', () => {
    const { slices } = evaluatePredictions({ truth: [0, 1, 1], scores: [0.1, 0.9, 0.8] }, [rocAuc(), accuracy()], {
      slices: { site: [7, 7, 8] },
    })
    expect(slices[0]!.slices).toEqual([
      { value: '7', rows: 2, values: { rocAuc: 1, accuracy: 1 } },
      { value: '8', rows: 1, values: { accuracy: 1 } },
    ])
  })

  it('refuse columns that cannot be sliced by', async () => {
    expect(() => evaluatePredictions({ truth, scores }, [f1()], { slices: { group: ['a'] } })).toThrow(/do not match/)
    const ids = truth.map((_, row) => row)
    expect(() => evaluatePredictions({ truth, scores }, [f1()], { slices: { id: ids } })).toThrow(/too many values/)
  })
})

describe('worst rows', () => {
  it('are those with the least probability of the truth, by their numbers over all batches', async () => {
    const model = tfl.sequential({ layers: [tfl.layers.activation({ activation: 'linear', inputShape: [2] })] })
    const dataset = Dataset.fromArrays({
      x: { data: Float32Array.from(scores.flat()), shape: [scores.length, 2] },
      y: { data: Int32Array.from(truth), shape: [truth.length] },
    })
    const report = await new Evaluator({ batchSize: 7, worst: { count: 4 } }).evaluate(model, dataset)
    const losses = truth.map((label, row) => [-Math.log(Math.fround(scores[row]![label]!)), row] as const)
    const expected = losses.sort((a, b) => b[0] - a[0]).slice(0, 4)
    expect(report.worst.map(({ row }) => row)).toEqual(expected.map(([, row]) => row))
    expect(report.worst[0]!.loss).toBeCloseTo(expected[0]![0], 5)
    expect(report.worst[0]!.predicted).not.toBe(report.worst[0]!.truth)
  })

  it('of real values are those with the largest error', () => {
    const { worst } = evaluatePredictions({ truth: [1, 2, 3], predicted: [1.5, 2, 0] }, ['mae'], {
      worst: { by: 'absoluteError', count: 1 },
    })
    expect(worst).toEqual([{ row: 2, loss: 3, truth: 3, predicted: 0 }])
  })

  it('name classes, and refuse targets that are none', () => {
    const named = evaluatePredictions({ truth: [1, 0], scores: [0.9, 0.8] }, ['logLoss'], {
      worst: { count: 1 },
      classes: ['cat', 'dog'],
    })
    expect(named.toText()).toMatch(/1\s+cat\s+dog/)
    expect(() => evaluatePredictions({ truth: [1.7], scores: [0.9] }, ['mse'], { worst: true })).toThrow(
      /no class number/,
    )
  })

  it('need probabilities, and a count', () => {
    expect(() => evaluatePredictions({ truth: [1], predicted: [1] }, ['accuracy'], { worst: true })).toThrow(
      /absoluteError/,
    )
    expect(() => evaluatePredictions({ truth, scores }, ['accuracy'], { worst: { count: 0 } })).toThrow(/out of range/)
  })
})

describe('threshold', () => {
  it('is the best of all cuts, tried one by one', () => {
    const { threshold, value, counts } = findThreshold(batch)
    const valueAt = (cut: number) =>
      evaluatePredictions({ truth, predicted: scores.map((row) => Number(row[1]! >= cut)) }, [
        f1({ average: 'binary' }),
      ]).values.f1 as number
    const all = scores.map((row) => valueAt(row[1]!))
    expect(value).toBeCloseTo(Math.max(...all), 12)
    expect(valueAt(threshold)).toBeCloseTo(value, 12)
    expect(counts.truePositives + counts.falsePositives + counts.falseNegatives + counts.trueNegatives).toBe(
      truth.length,
    )
  })

  it('meets conditions, and takes a cost', () => {
    const careful = findThreshold(batch, { maximize: 'recall', minPrecision: 1 })
    expect(careful.precision).toBe(1)
    const cost = findThreshold(batch, {
      maximize: ({ falsePositives, falseNegatives }) => -10 * falsePositives - falseNegatives,
    })
    expect(cost.threshold).toBeGreaterThanOrEqual(findThreshold(batch, { maximize: 'accuracy' }).threshold)
  })

  it('takes plain arrays, as evaluatePredictions does', () => {
    const second = Float64Array.from(scores, (row) => row[1]!)
    expect(findThreshold({ truth, scores: second })).toEqual(findThreshold(batch))
    expect(findThreshold({ truth: Int32Array.from(truth), scores })).toEqual(findThreshold(batch))
  })

  it('says why there is none', () => {
    const noise = { truth: { data: [0, 1], shape: [2] }, scores: { data: [0.9, 0.1], shape: [2] } }
    expect(() => findThreshold(noise, { minPrecision: 0.9 })).toThrow(/No threshold reaches/)
    expect(() => findThreshold({ ...noise, truth: { data: [1, 1], shape: [2] } })).toThrow(/both classes/)
    const three = { truth: { data: [0], shape: [1] }, scores: { data: [0, 0, 1], shape: [1, 3] } }
    expect(() => findThreshold(three)).toThrow(/two classes/)
  })
})

describe('two models', () => {
  it("McNemar's exact test gives the p-values of scipy.stats.binomtest", () => {
    const answers = (first: number, second: number, both: number) => ({
      truth: new Array<number>(first + second + both).fill(1),
      first: Array.from({ length: first + second + both }, (_, i) => Number(i < first || i >= first + second)),
      second: Array.from({ length: first + second + both }, (_, i) => Number(i >= first)),
    })
    expect(mcnemar(answers(3, 12, 50))).toMatchObject({ onlyFirst: 3, onlySecond: 12 })
    // binomtest(3, 15).pvalue, binomtest(1000, 2100).pvalue, binomtest(5, 10).pvalue
    expect(mcnemar(answers(3, 12, 50)).pValue).toBeCloseTo(0.03515625, 10)
    expect(mcnemar(answers(1000, 1100, 0)).pValue).toBeCloseTo(0.030720707864242486, 11)
    expect(mcnemar(answers(5, 5, 1)).pValue).toBe(1)
    expect(mcnemar(answers(0, 0, 4)).pValue).toBe(1)
  })

  it('the paired bootstrap tells a real difference from none', () => {
    const worse = {
      ...batch,
      scores: { data: scores.flatMap(([p], row) => (row % 5 ? [p!, 1 - p!] : [1 - p!, p!])), shape: [truth.length, 2] },
    }
    const metric = accuracy() as Metric
    const options = { resamples: 300 }
    const none = pairedBootstrap(metric, batch, batch, options)
    expect(none).toEqual({ difference: 0, interval: [0, 0], pValue: 1 })
    expect(pairedBootstrap(metric, { truth, scores }, { truth, scores }, options)).toEqual(none)
    const real = pairedBootstrap(metric, worse, batch, options)
    expect(real.interval[0]).toBeGreaterThan(0)
    expect(real.pValue).toBeLessThan(0.01)
    expect(() => pairedBootstrap(confusionMatrix() as Metric, batch, worse)).toThrow(/one number/)
    const fewer = { truth: { data: [1], shape: [1] }, scores: { data: [0, 1], shape: [1, 2] } }
    expect(() => pairedBootstrap(metric, batch, fewer)).toThrow(/not given the same rows/)
  })
})

it('permutation importance finds the feature that the model reads', async () => {
  const model = tfl.sequential({ layers: [tfl.layers.dense({ units: 1, inputShape: [3], activation: 'sigmoid' })] })
  tf.tidy(() => model.setWeights([tf.tensor2d([0, 8, 0.5], [3, 1]), tf.zeros([1])]))
  const rows = Array.from({ length: 200 }, (_, i) => [Math.sin(i * 7), Math.sin(i * 3), Math.sin(i)])
  const dataset = Dataset.fromArrays({
    x: { data: Float32Array.from(rows.flat()), shape: [200, 3] },
    y: { data: Int32Array.from(rows, ([, middle]) => Number(middle! > 0)), shape: [200] },
  })
  const found = await permutationImportance(model, dataset, {
    metric: 'rocAuc',
    features: { x: ['first', 'second', 'third'] },
  })
  expect(found.map(({ feature }) => feature)).toEqual(['second', 'third', 'first'])
  expect(found[0]!.importance).toBeGreaterThan(0.3)
  expect(found[2]).toEqual({ feature: 'first', importance: 0, deviation: 0 })
  await expect(permutationImportance(model, dataset, { metric: 'rocAuc', repeats: 0 })).rejects.toThrow(/repeats/)
  await expect(permutationImportance(model, dataset, { metric: 'confusionMatrix' })).rejects.toThrow(/one number/)
})

it('a page shows curves, slices, importance and worst rows', () => {
  const report = evaluatePredictions(
    { truth, scores },
    ['accuracy', 'rocCurve', 'precisionRecallCurve', 'calibrationCurve', 'confusionMatrix'],
    {
      worst: true,
      slices: { 'a <group>': truth.map((_, row) => row % 2) },
    },
  )
  const page = report.toHTML({ importance: [{ feature: 'radius', importance: 0.1, deviation: 0.01 }] })
  for (const heading of [
    'ROC',
    'Precision and recall',
    'Calibration',
    'By a &#60;group&#62;',
    'What the model reads',
    'Worst rows',
    'Demographic parity',
  ])
    expect(page).toContain(heading)
  expect(page).not.toContain('<group>')
})
