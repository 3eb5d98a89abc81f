/** Fitting on parts and merging gives what fitting on all rows gives, however the rows are dealt out. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Random } from '../../../src/core/index.js'
import { type Columns, Dataset, gatherRows, numbersOf } from '../../../src/data/index.js'
import {
  bucketize,
  bytePair,
  clipOutliers,
  dropDuplicates,
  impute,
  maxAbs,
  minMax,
  oneHot,
  ordinal,
  Preprocessor,
  pca,
  power,
  quantileTransform,
  robust,
  type Step,
  standardize,
  targetEncode,
  vocabulary,
} from '../../../src/preprocess/index.js'

const ROWS = 90
const random = new Random(1)
const columns: Columns = {
  x: { data: Float32Array.from({ length: ROWS * 3 }, () => random.normal() * 3 + 100), shape: [ROWS, 3] },
  // Every seventh value is missing.
  g: { data: Float32Array.from({ length: ROWS }, (_, i) => (i % 7 === 0 ? Number.NaN : i)), shape: [ROWS] },
  c: { data: Array.from({ length: ROWS }, () => 'abcdefg'[random.integer(7)]!), shape: [ROWS] },
  t: { data: Array.from({ length: ROWS }, () => ['a lot', 'a little', 'less'][random.integer(3)]!), shape: [ROWS] },
  y: { data: Float32Array.from({ length: ROWS }, () => random.integer(2)), shape: [ROWS] },
}

/** Steps whose statistics do not depend on the order of rows, to the bit. */
const exact: Step[] = [
  minMax(['x', 'g']),
  maxAbs(['x', 'g']),
  robust(['x', 'g']),
  power(['x', 'g']),
  quantileTransform(['x', 'g'], { quantiles: 20 }),
  bucketize(['x', 'g']),
  bucketize(['x', 'g'], { strategy: 'uniform' }),
  clipOutliers(['x', 'g']),
  clipOutliers(['x', 'g'], { method: 'quantile', factor: 0.1 }),
  impute(['x', 'g'], { with: 'median' }),
  robust('x', { per: 'column' }),
  oneHot('c'),
  vocabulary('c'),
  bytePair('t', { minCount: 1 }),
  ordinal(['c', 'y']),
]

/** Steps that add up floats, in another order. */
const rounded: Step[] = [
  standardize(['x', 'g']),
  standardize('x', { per: 'channel' }),
  clipOutliers(['x', 'g'], { method: 'zscore' }),
  impute(['x', 'g']),
  pca('x', { components: 3 }),
  targetEncode('c'),
]

const close = (merged: unknown, whole: unknown): void => {
  if (typeof whole === 'number')
    expect(Math.abs((merged as number) - whole)).toBeLessThanOrEqual(1e-9 * Math.abs(whole) + 1e-12)
  else if (whole !== null && typeof whole === 'object') {
    expect(Object.keys(merged as object)).toEqual(Object.keys(whole))
    for (const key of Object.keys(whole))
      close((merged as Record<string, unknown>)[key], (whole as Record<string, unknown>)[key])
  } else expect(merged).toBe(whole)
}

/** Row numbers dealt out to 1 to 8 shards, of which some may stay empty; and how many rows a shard reads at a time. */
const dealings = fc
  .tuple(
    fc.integer({ min: 1, max: 8 }),
    fc.array(fc.nat(7), { minLength: ROWS, maxLength: ROWS }),
    fc.nat(),
    fc.nat(40),
  )
  .map(([shards, dealt, seed, step]) => {
    const rows: number[][] = Array.from({ length: shards }, () => [])
    for (const row of new Random(seed).permutation(ROWS)) rows[dealt[row]! % shards]!.push(row)
    return { rows, step: step + 1 }
  })

describe.each([
  ['to the bit', exact, (merged: unknown, whole: unknown) => expect(merged).toEqual(whole)],
  ['but for the rounding of sums', rounded, close],
] as const)('merged it is the same %s', (_, steps, check) => {
  it.each(steps)('$kind, $options', ({ fitting }) => {
    const all = fitting!.start()
    fitting!.update(all, columns)
    const whole = fitting!.finish(all)
    fc.assert(
      fc.property(dealings, ({ rows, step }) => {
        const states = rows.map((own) => {
          const state = fitting!.start()
          for (let from = 0; from < own.length; from += step)
            fitting!.update(state, gatherRows(columns, own.slice(from, from + step)))
          return state
        })
        check(fitting!.finish(states.reduce((first, second) => fitting!.merge(first, second))), whole)
      }),
      { seed: 3, numRuns: 25 },
    )
  })
})

it('a whole chain, fitted on parts, transforms as one fitted on all', async () => {
  const chain = () => [
    impute('g', { with: 'median' }),
    standardize(['x', 'g']),
    pca('x', { components: 2 }),
    oneHot('c'),
  ]
  const data = Dataset.fromArrays(columns)
  const whole = await (await new Preprocessor(chain()).fit(data)).transform(data).columns()
  await fc.assert(
    fc.asyncProperty(dealings, async ({ rows }) => {
      const parts = rows.map((own) =>
        Dataset.fromBatches(async function* () {
          yield gatherRows(columns, own)
        }),
      )
      const merged = await (await new Preprocessor(chain()).fit(parts)).transform(data).columns()
      for (const name of ['x', 'g'])
        numbersOf(merged[name]!, name, 'The test').forEach((value, i) => {
          expect(Math.abs(value - (whole[name]!.data[i] as number))).toBeLessThanOrEqual(1e-6)
        })
      expect(merged.c).toEqual(whole.c)
    }),
    { seed: 4, numRuns: 10 },
  )
})

it('a step that must see all rows is not fitted on parts', async () => {
  const data = Dataset.fromArrays(columns)
  await expect(new Preprocessor([dropDuplicates(), robust('x')]).fit([data, data])).rejects.toThrow(
    /Step 0 \(dropDuplicates\).*one dataset.*2 parts/,
  )
  await expect(new Preprocessor([robust('x')]).fit([])).rejects.toThrow(/needs data/)
})

it('above the capacity of a sketch, merged quantiles are within the stated error of the whole', async () => {
  const rows = 260_000
  const values = Float32Array.from({ length: rows }, () => random.normal())
  const data = Dataset.fromArrays({ v: { data: values, shape: [rows] } })
  const parts = [0, 1, 2, 3].map((rank) => data.shard(rank, 4, { evenly: false }))
  const preprocessor = await new Preprocessor([robust('v')]).fit(parts)
  const { shift, scale } = (preprocessor.toJSON().fitted![0] as Record<string, { shift: number[]; scale: number[] }>).v!
  const sorted = values.slice().sort()
  const rankOf = (value: number) => sorted.findIndex((other) => other >= value) / rows
  const median = shift[0]!
  expect(Math.abs(rankOf(median) - 0.5)).toBeLessThanOrEqual(1e-4)
  // The distance of quartiles: each is off by so many ranks at most.
  const at = (q: number) => sorted[Math.round(q * rows)]!
  expect(scale[0]).toBeGreaterThanOrEqual(at(0.7499) - at(0.2501))
  expect(scale[0]).toBeLessThanOrEqual(at(0.7501) - at(0.2499))
})
