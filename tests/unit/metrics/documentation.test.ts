/** The outputs that the documentation of scikit-learn and torchmetrics prints, for the same inputs, to every digit. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { Metric, Values } from '../../../src/metrics/index.js'
import * as m from '../../../src/metrics/index.js'

interface Example {
  library: string
  metric: string
  options: object
  truth: number[] | number[][]
  predicted?: number[] | number[][]
  scores?: number[] | number[][]
  /** Numbers as printed, in order; dots stand for digits that were left out. */
  printed: string[]
}

const examples = JSON.parse(
  readFileSync(new URL('../../golden/documentation/metrics.json', import.meta.url), 'utf8'),
) as Example[]

const makers = Object.fromEntries(Object.entries(m)) as unknown as Record<string, (options: object) => Metric>

const valuesOf = (rows: number[] | number[][]): Values => ({
  data: rows.flat(),
  shape: Array.isArray(rows[0]) ? [rows.length, rows[0].length] : [rows.length],
})

/** The numbers of a result, in the order in which the libraries print them. */
function numbersOf(result: unknown): number[] {
  if (typeof result === 'number') return [result]
  if (Array.isArray(result)) return result.flatMap(numbersOf)
  const { weight: _, ...curve } = result as Record<string, unknown>
  return Object.values(curve).flatMap(numbersOf)
}

/** How far a number may be from what was printed of it: rounded, or cut off where dots follow. */
function precisionOf(printed: string): number {
  const digits = printed.replaceAll('...', '').split('.')[1]?.length ?? 0
  return 10 ** -digits * (printed.endsWith('...') ? 1 : 0.5)
}

it.each(examples)('$metric $options of $library: $printed', ({ metric: name, options, printed, ...batch }) => {
  const metric = new m.RunningMetric(makers[name]!(options))
  metric.update({
    truth: valuesOf(batch.truth),
    ...(batch.predicted && { predicted: valuesOf(batch.predicted) }),
    ...(batch.scores && { scores: valuesOf(batch.scores) }),
  })
  const actual = numbersOf(metric.compute())
  expect(actual).toHaveLength(printed.length)
  printed.forEach((text, i) => {
    const expected = Number(text.replace('...', ''))
    expect(Math.abs(actual[i]! - expected)).toBeLessThanOrEqual(precisionOf(text) * (1 + 1e-9))
  })
})
