/** The merge law: however rows are dealt out to workers, merged states give what one worker on all rows gives. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DcmlError } from '../../../src/core/index.js'
import type { Metric, Predictions, TextPairs } from '../../../src/metrics/index.js'
import * as m from '../../../src/metrics/index.js'

/** One row; what it holds is up to the metric. */
interface Row {
  truth: number[]
  scores: number[]
  weight: number
}

const CLASSES = 4
const WORDS = ['a', 'b', 'cat', 'dog']

// Few different values, so that scores tie and some classes are missing.
const tenth = fc.integer({ min: 0, max: 10 }).map((value) => value / 10)
const several = (value: fc.Arbitrary<number>) => fc.array(value, { minLength: CLASSES, maxLength: CLASSES })
const row = (truth: fc.Arbitrary<number[]>, scores: fc.Arbitrary<number[]>): fc.Arbitrary<Row> =>
  fc.record({ truth, scores, weight: fc.constantFrom(0, 0.5, 1, 3) })

const one = (value: fc.Arbitrary<number>) => fc.tuple(value)
const probabilities = several(tenth).map((values) => {
  const sum = values.reduce((total, value) => total + value + 0.1, 0)
  return values.map((value) => (value + 0.1) / sum)
})
const real = fc.integer({ min: -1000, max: 1000 }).map((value) => value / 8 + 1e4)

const kinds = {
  classes: row(one(fc.integer({ min: 0, max: CLASSES - 1 })), probabilities),
  binary: row(one(fc.integer({ min: 0, max: 1 })), one(tenth)),
  labels: row(several(fc.integer({ min: 0, max: 1 })), several(tenth)),
  real: row(fc.tuple(real, real), fc.tuple(real, real)),
  counts: row(one(fc.nat(9)), one(fc.integer({ min: 1, max: 90 }).map((value) => value / 10))),
  items: row(several(fc.nat(3)), several(tenth)),
}

const batchOf = (rows: readonly Row[]): Predictions => ({
  truth: { data: rows.flatMap(({ truth }) => truth), shape: [rows.length, rows[0]!.truth.length] },
  scores: { data: rows.flatMap(({ scores }) => scores), shape: [rows.length, rows[0]!.scores.length] },
  weights: rows.map(({ weight }) => weight),
})

/** Every metric, by the kind of rows that it judges; each with the options that change its state or its sums. */
const table: Record<keyof typeof kinds, [factory: keyof typeof m, metric: unknown][]> = {
  classes: [
    ['accuracy', m.accuracy()],
    ['balancedAccuracy', m.balancedAccuracy()],
    ['precision', m.precision({ average: 'macro' })],
    ['recall', m.recall({ average: 'micro' })],
    ['f1', m.f1({ average: 'weighted' })],
    ['fBeta', m.fBeta({ beta: 2, average: 'none' })],
    ['jaccard', m.jaccard()],
    ['hammingLoss', m.hammingLoss()],
    ['matthews', m.matthews()],
    ['cohenKappa', m.cohenKappa({ weights: 'quadratic' })],
    ['confusionMatrix', m.confusionMatrix()],
    ['topKAccuracy', m.topKAccuracy({ k: 2 })],
    ['logLoss', m.logLoss()],
    ['perplexity', m.perplexity()],
    ['brier', m.brier()],
    ['rocAuc', m.rocAuc()],
    ['rocAuc', m.rocAuc({ multiclass: 'ovo', average: 'weighted' })],
    ['averagePrecision', m.averagePrecision({ average: 'micro' })],
    ['rocCurve', m.rocCurve()],
    ['precisionRecallCurve', m.precisionRecallCurve()],
    ['calibrationCurve', m.calibrationCurve()],
    ['calibrationError', m.calibrationError()],
  ],
  binary: [
    ['accuracy', m.accuracy()],
    ['f1', m.f1({ average: 'binary' })],
    ['rocAuc', m.rocAuc()],
    ['averagePrecision', m.averagePrecision()],
    ['brier', m.brier()],
    ['calibrationCurve', m.calibrationCurve({ bins: 3 })],
  ],
  labels: [
    ['accuracy', m.accuracy({ multilabel: true })],
    ['hammingLoss', m.hammingLoss({ multilabel: true })],
    ['f1', m.f1({ multilabel: true, average: 'samples' })],
    ['jaccard', m.jaccard({ multilabel: true, average: 'none' })],
    ['rocAuc', m.rocAuc({ multilabel: true })],
    ['averagePrecision', m.averagePrecision({ multilabel: true, average: 'none' })],
  ],
  real: [
    ['mse', m.mse()],
    ['rmse', m.rmse()],
    ['mae', m.mae()],
    ['mape', m.mape()],
    ['r2', m.r2()],
    ['explainedVariance', m.explainedVariance()],
    ['medianAbsoluteError', m.medianAbsoluteError()],
    ['maxError', m.maxError()],
    ['pinball', m.pinball({ alpha: 0.1 })],
    ['huberLoss', m.huberLoss({ delta: 2 })],
  ],
  counts: [['poissonDeviance', m.poissonDeviance()]],
  items: [
    ['ndcg', m.ndcg({ k: 3 })],
    ['meanAveragePrecision', m.meanAveragePrecision()],
    ['mrr', m.mrr()],
    ['hitRate', m.hitRate({ k: 2 })],
    ['recallAtK', m.recallAtK({ k: 2 })],
    ['precisionAtK', m.precisionAtK({ k: 2 })],
  ],
}

const texts: [keyof typeof m, m.TextMetric<never>][] = [
  ['wer', m.wer() as m.TextMetric<never>],
  ['cer', m.cer() as m.TextMetric<never>],
  ['bleu', m.bleu({ maxOrder: 2 }) as m.TextMetric<never>],
]

/** Rows, each with the worker that it is dealt to, and a number that cuts each worker's rows into two batches. */
const dealt = <T>(rows: fc.Arbitrary<T>) =>
  fc.integer({ min: 1, max: 8 }).chain((workers) =>
    fc.record({
      workers: fc.constant(workers),
      rows: fc.array(fc.record({ row: rows, worker: fc.nat(workers - 1) }), { minLength: 1, maxLength: 40 }),
      cut: fc.nat(8),
    }),
  )

/** All of them on one worker, and merged over the workers; a state goes through JSON, as between processes. */
function bothWays<T, Batch>(
  metric: Metric<unknown, unknown, Batch>,
  { workers, rows, cut }: { workers: number; rows: { row: T; worker: number }[]; cut: number },
  toBatch: (rows: T[]) => Batch,
) {
  const whole = new m.RunningMetric(metric)
  whole.update(toBatch(rows.map(({ row }) => row)))
  const merged = new m.RunningMetric(metric)
  for (let worker = 0; worker < workers; worker++) {
    const own = rows.filter((dealt) => dealt.worker === worker).map(({ row }) => row)
    const part = new m.RunningMetric(metric)
    for (const batch of [own.slice(0, cut), own.slice(cut)]) if (batch.length > 0) part.update(toBatch(batch))
    merged.merge(JSON.parse(JSON.stringify(part.state)))
  }
  return [resultOf(merged), resultOf(whole)]
}

/** The value, or the code of the error where the rows do not define it. */
function resultOf(metric: { compute(): unknown }): unknown {
  try {
    return metric.compute()
  } catch (error) {
    if (error instanceof DcmlError) return error.code
    throw error
  }
}

function expectAlike(actual: unknown, expected: unknown): void {
  if (typeof expected === 'number' && Number.isFinite(expected))
    expect(Math.abs((actual as number) - expected)).toBeLessThanOrEqual(1e-9 * Math.abs(expected) + 1e-12)
  else if (typeof expected === 'object' && expected !== null) {
    expect(Object.keys(actual as object)).toEqual(Object.keys(expected))
    for (const [key, value] of Object.entries(expected)) expectAlike((actual as Record<string, unknown>)[key], value)
  } else expect(actual).toEqual(expected)
}

for (const [kind, metrics] of Object.entries(table) as [keyof typeof kinds, [string, unknown][]][])
  it.each(metrics)(`%s of ${kind}, merged over 1 to 8 workers, is that of all rows (%#)`, (_, metric) => {
    fc.assert(
      fc.property(dealt(kinds[kind]), (dealing) => {
        const [merged, whole] = bothWays(metric as Metric, dealing, batchOf)
        expectAlike(merged, whole)
      }),
      { seed: 11, numRuns: 60 },
    )
  })

describe('of texts', () => {
  const text = fc.array(fc.constantFrom(...WORDS), { maxLength: 6 }).map((words) => words.join(' '))
  const pairsOf = (rows: { truth: string; predicted: string }[]): TextPairs => ({
    truth: rows.map(({ truth }) => truth),
    predicted: rows.map(({ predicted }) => predicted),
  })
  it.each(texts)('%s, merged over 1 to 8 workers, is that of all rows', (_, metric) => {
    fc.assert(
      fc.property(dealt(fc.record({ truth: text, predicted: text })), (dealing) => {
        const [merged, whole] = bothWays(metric as m.TextMetric<unknown>, dealing, pairsOf)
        expectAlike(merged, whole)
      }),
      { seed: 11, numRuns: 60 },
    )
  })
})

it('holds every metric there is', () => {
  const factories = Object.entries(m).filter(([, made]) => isFactory(made))
  const named = [...Object.values(table).flat(), ...texts].map(([name]) => name)
  expect([...new Set(named)].sort()).toEqual(factories.map(([name]) => name).sort())
})

/** Whether a call makes a metric, without options or with those that one needs. */
function isFactory(made: unknown): boolean {
  return [undefined, { beta: 1 }].some((options) => {
    try {
      const metric = (made as (options?: object) => Partial<Metric>)(options)
      return typeof metric.name === 'string' && metric.merge !== undefined && metric.create !== undefined
    } catch {
      return false
    }
  })
}

it('reset forgets', () => {
  const metric = new m.RunningMetric(m.accuracy())
  metric.update({ truth: { data: [0, 1], shape: [2] }, predicted: { data: [1, 1], shape: [2] } })
  expect([metric.name, metric.compute()]).toEqual(['accuracy', 0.5])
  metric.reset()
  metric.update({ truth: { data: [1], shape: [1] }, predicted: { data: [1], shape: [1] } })
  expect(metric.compute()).toBe(1)
})
