/** Steps that scikit-learn has no equal of, or that need more than one form of their input. */
import { describe, expect, it } from 'vitest'
import { type Columns, Dataset } from '../../../src/data/index.js'
import {
  bucketize,
  dateParts,
  dropDuplicates,
  hashBucket,
  l2,
  maxAbs,
  ordinal,
  Preprocessor,
  pca,
  polynomial,
  power,
  quantileTransform,
  robust,
  type Step,
  smooth,
  standardize,
  targetEncode,
} from '../../../src/preprocess/index.js'

const numbers = (data: number[], ...shape: number[]) => ({
  data: Float32Array.from(data),
  shape: shape.length ? shape : [data.length],
})
const texts = (data: string[]) => ({ data, shape: [data.length] })

async function run(step: Step, columns: Columns): Promise<Columns> {
  const preprocessor = await new Preprocessor([step]).fit(Dataset.fromArrays(columns))
  return preprocessor.transform(Dataset.fromArrays(columns)).columns()
}

describe('ordinal', () => {
  const sizes = { s: texts(['M', 'S', 'L', 'M']) }

  it('numbers categories, in their order or sorted, and back', async () => {
    expect([...(await run(ordinal('s'), sizes)).s!.data]).toEqual([1, 2, 0, 1])
    const given = await new Preprocessor([ordinal('s', { categories: ['S', 'M', 'L'] })]).fit(Dataset.fromArrays(sizes))
    expect(given.transformRow({ s: 'L' })).toEqual({ s: 2 })
    expect(given.inverse({ s: 2 })).toEqual({ s: 'L' })
  })

  it('does with unseen and missing categories what it is told', async () => {
    const fitted = (unseen: 'error' | -1 | 'last') =>
      new Preprocessor([ordinal('s', { unseen })]).fit(Dataset.fromArrays(sizes))
    expect((await fitted(-1)).transformRow({ s: 'XL' })).toEqual({ s: -1 })
    expect((await fitted('last')).transformRow({ s: '' })).toEqual({ s: 3 })
    const strict = await fitted('error')
    expect(() => strict.transformRow({ s: 'XL' })).toThrow(/unseen category.*one of L, M, S.*"XL"/s)
  })
})

describe('targetEncode', () => {
  const columns = { c: texts(['a', 'a', 'b', '', 'b', 'b']), y: numbers([1, 3, 0, 8, 0, 6]) }

  it('draws the mean of each category towards that of all', async () => {
    // Overall 3; a: (4 + 2 * 3) / 4; b: (6 + 2 * 3) / 5; missing: 3.
    const { c } = await run(targetEncode('c', { smoothing: 2 }), columns)
    expect([...c!.data]).toEqual([2.5, 2.5, 2.4, 3, 2.4, 2.4].map(Math.fround))
  })

  it('leaves out rows without a target', async () => {
    const columns = { c: texts(['a', 'a', 'b']), y: numbers([1, Number.NaN, 3]) }
    expect([...(await run(targetEncode('c', { smoothing: 0 }), columns)).c!.data]).toEqual([1, 1, 3])
  })

  it('gives unseen categories the overall mean, and predicts without a target', async () => {
    const preprocessor = await new Preprocessor([targetEncode('c')]).fit(Dataset.fromArrays(columns))
    expect(preprocessor.transformRow({ c: 'z' })).toEqual({ c: 3 })
  })
})

it('hashBucket spreads texts and numbers over its buckets, and takes a number as its decimal form', async () => {
  const { c } = await run(hashBucket('c', { buckets: 16 }), {
    c: texts(Array.from({ length: 2000 }, (_, i) => `id${i}`)),
  })
  const counts = new Array<number>(16).fill(0)
  for (const bucket of c!.data as Int32Array) counts[bucket]!++
  // 125 expected in each; the standard deviation is 11.
  for (const count of counts) expect(Math.abs(count - 125)).toBeLessThan(50)
  const number = await run(hashBucket('c', { buckets: 1000 }), { c: numbers([42]) })
  const text = await run(hashBucket('c', { buckets: 1000 }), { c: texts(['42']) })
  expect(number.c!.data[0]).toBe(text.c!.data[0])
})

describe('bucketize', () => {
  it('by given borders, with a bin of its own for what is missing', async () => {
    const { v } = await run(bucketize('v', { boundaries: [18, 65] }), { v: numbers([3, 18, 64.9, 65, 99, Number.NaN]) })
    expect([...v!.data]).toEqual([0, 1, 1, 2, 2, 3])
  })

  it('into equally many rows, leaving out bins that would be empty', async () => {
    const { v } = await run(bucketize('v', { bins: 4 }), { v: numbers([1, 2, 3, 4, 5, 6, 7, 8]) })
    expect([...v!.data]).toEqual([0, 0, 1, 1, 2, 2, 3, 3])
    const tied = await run(bucketize('v', { bins: 4 }), { v: numbers([0, 0, 0, 0, 0, 0, 7, 8]) })
    expect([...tied.v!.data]).toEqual([1, 1, 1, 1, 1, 1, 2, 2])
  })
})

describe('dateParts', () => {
  it('splits dates and times in UTC', async () => {
    const parts = ['year', 'month', 'day', 'weekday', 'dayOfYear', 'hour', 'minute', 'second'] as const
    const dates = {
      d: texts(['2024-02-29', '2024-12-31T23:59:58Z', '2023-01-01T05:06:07+02:00', '2024-03-01 12:30:00', '']),
    }
    const { d } = await run(dateParts('d', { parts }), dates)
    const row = (i: number) => [...d!.data.slice(i * 8, i * 8 + 8)]
    expect(row(0)).toEqual([2024, 2, 29, 4, 60, 0, 0, 0])
    expect(row(1)).toEqual([2024, 12, 31, 2, 366, 23, 59, 58])
    expect(row(2)).toEqual([2023, 1, 1, 0, 1, 3, 6, 7])
    expect(row(3)).toEqual([2024, 3, 1, 5, 61, 12, 30, 0])
    expect(row(4)).toEqual(new Array(8).fill(Number.NaN))
  })

  it('lays what comes round on a circle', async () => {
    const milliseconds = ['2024-01-15', '2024-07-15'].map((text) => Date.parse(text))
    const { d } = await run(dateParts('d', { parts: ['year', 'month'], cyclic: true }), {
      d: { data: Float64Array.from(milliseconds), shape: [2] },
    })
    expect(d!.shape).toEqual([2, 3])
    const expected = [2024, 0, 1, 2024, 0, -1]
    expected.forEach((value, i) => {
      expect(d!.data[i]).toBeCloseTo(value, 6)
    })
  })
})

describe('smooth', () => {
  const signal = { s: numbers([0, 3, 6, 90, 12, 1, 1, 1, 1, 1], 2, 5) }

  it('takes the mean or the median of what is near, row by row', async () => {
    expect([...(await run(smooth('s', { window: 3 }), signal)).s!.data]).toEqual([1.5, 3, 33, 36, 51, 1, 1, 1, 1, 1])
    const { s } = await run(smooth('s', { window: 3, method: 'median' }), signal)
    expect([...s!.data]).toEqual([1.5, 3, 6, 12, 51, 1, 1, 1, 1, 1])
  })

  it('keeps channels apart, and gaps where they are', async () => {
    const { s } = await run(smooth('s', { window: 3 }), { s: numbers([0, 100, 2, Number.NaN, 4, 300], 1, 3, 2) })
    expect([...s!.data]).toEqual([1, 100, 2, Number.NaN, 3, 300])
  })
})

describe('dropDuplicates', () => {
  const rows = { a: numbers([1, 2, 1, 1, 2]), b: texts(['x', 'y', 'x', 'z', 'y']) }

  it('keeps the first of equal rows, over all batches, in every pass anew', async () => {
    const preprocessor = new Preprocessor([dropDuplicates()])
    const unique = preprocessor.transform(Dataset.fromArrays(rows).batch(1))
    for (let pass = 0; pass < 2; pass++) expect([...(await unique.columns()).b!.data]).toEqual(['x', 'y', 'z'])
  })

  it('compares the columns that it is told', async () => {
    expect([...(await run(dropDuplicates('a'), rows)).b!.data]).toEqual(['x', 'y'])
  })

  it('is done before what comes after is fitted, and leaves every row to predict on', async () => {
    const preprocessor = await new Preprocessor([dropDuplicates(), standardize('a')]).fit(
      Dataset.fromArrays(rows).batch(2),
    )
    expect(preprocessor.toJSON().fitted![1]).toMatchObject({ a: { shift: [4 / 3] } })
    expect(preprocessor.transformColumns(rows, { only: ['a'] }).a!.shape).toEqual([5])
  })
})

it('leaves missing values missing, and constants at 0', async () => {
  const columns = { v: numbers([5, 5, Number.NaN, 5]) }
  for (const step of [robust('v'), power('v'), maxAbs('v'), quantileTransform('v')]) {
    const { v } = await run(step, columns)
    expect(v!.data[2]).toBeNaN()
    expect(v!.data[0]).toBe(step.kind === 'maxAbs' ? 1 : 0)
  }
  const rows = numbers([0, 0, 3, 4, 3, Number.NaN], 3, 2)
  const expected = [0, 0, 0.6, 0.8, Number.NaN, Number.NaN].map(Math.fround)
  expect([...(await run(l2('v'), { v: rows })).v!.data]).toEqual(expected)
})

it('pca gives 0 along directions that the others explain, whitened too', async () => {
  const rows = Array.from({ length: 40 }, (_, i) => [
    Math.sin(i),
    Math.cos(i),
    Math.sin(i) + Math.cos(i),
    2 * Math.sin(i),
  ])
  const { x } = await run(pca('x', { components: 4, whiten: true }), { x: numbers(rows.flat(), 40, 4) })
  for (let row = 0; row < 40; row++) {
    expect(Math.abs(x!.data[row * 4] as number)).toBeLessThan(4)
    expect(x!.data[row * 4 + 3]).toBeCloseTo(0, 12)
  }
})

it('pca keeps as many directions as a share of the variance needs', async () => {
  const x = numbers(
    Array.from({ length: 60 }, (_, i) => [Math.sin(i) * 10, Math.cos(i) * 2, Math.sin(3 * i) / 10]).flat(),
    60,
    3,
  )
  const made = await run(pca('x', { components: 0.9 }), { x })
  expect(made.x!.shape).toEqual([60, 1])
})

describe('one clear error for', () => {
  const x = numbers([1, 2, 3, 4], 2, 2)
  it.each([
    ['a norm that is none', () => l2('x', { norm: 'l3' as 'l2' }), /l2 does not know this norm/],
    ['a range that is none', () => robust('x', { range: [0.8, 0.2] }), /range of robust/],
    ['an unknown output', () => quantileTransform('x', { output: 'log' as 'normal' }), /output/],
    ['one quantile', () => quantileTransform('x', { quantiles: 1 }), /at least 2/],
    ['borders that fall', () => bucketize('x', { boundaries: [2, 1] }), /do not rise/],
    ['one bin', () => bucketize('x', { bins: 1 }), /bins of bucketize/],
    ['an unknown strategy', () => bucketize('x', { strategy: 'kmeans' as 'uniform' }), /strategy/],
    ['no buckets', () => hashBucket('x', { buckets: 0 }), /buckets of hashBucket/],
    ['no degree', () => polynomial('x', { degree: 0 }), /degree of polynomial/],
    ['an unknown part', () => dateParts('x', { parts: ['week' as 'day'] }), /does not know this part/],
    ['an even window', () => smooth('x', { window: 4 }), /an odd number/],
    ['an unknown method', () => smooth('x', { method: 'max' as 'mean' }), /smooth does not know/],
    ['no components', () => pca('x', { components: 0 }), /components of pca/],
    ['half a component too many', () => pca('x', { components: 2.5 }), /components of pca/],
    ['smoothing below 0', () => targetEncode('x', { smoothing: -1 }), /smoothing of targetEncode/],
    ['an unknown way with the unseen', () => ordinal('x', { unseen: 'skip' as 'last' }), /unseen/],
    ['no column', () => maxAbs([]), /at least one column/],
    ['values that share oddly', () => power('x', { per: 'row' as 'column' }), /value of per/],
  ])('%s', (_, make, message) => {
    expect(make).toThrow(message)
  })

  it.each([
    ['more directions than rows', pca('x', { components: 2 }), { x }, /cannot find 2 directions.*at most 1/s],
    [
      'a gap before pca',
      pca('x', { components: 1 }),
      { x: numbers([1, Number.NaN, 2, 3], 2, 2) },
      /missing value.*impute/s,
    ],
    ['one feature for pca', pca('v', { components: 1 }), { v: numbers([1, 2]) }, /several features/],
    ['a category that is a vector', ordinal('x'), { x }, /one value per row/],
    [
      'a target that is a vector',
      targetEncode('c', { target: 'x' }),
      { c: texts(['a', 'b']), x },
      /one number per row/,
    ],
    ['a target that is text', targetEncode('c', { target: 'c' }), { c: texts(['a', 'b']) }, /strings/],
    ['a signal that is one number', smooth('v'), { v: numbers([1, 2]) }, /a signal per row/],
    ['a date that is none', dateParts('d'), { d: texts(['2024-01-01', 'soon']) }, /Row 1 of the column "d" is no date/],
    ['a date in words', dateParts('d'), { d: texts(['May 1, 2024']) }, /Row 0 of the column "d" is no date/],
    ['a cube of features', polynomial('c'), { c: numbers([1, 2, 3, 4], 1, 2, 2) }, /a vector per row/],
    [
      'too many products',
      polynomial('x', { degree: 40 }),
      { x: numbers(new Array(20).fill(1), 1, 20) },
      /too many features/,
    ],
    ['no category', ordinal('c'), { c: texts(['', '']) }, /found no category/],
    ['nothing but gaps', robust('v'), { v: numbers([Number.NaN]) }, /found no value/],
    ['a missing column', maxAbs('w'), { v: numbers([1]) }, /needs the column "w"/],
  ] as [string, Step, Columns, RegExp][])('%s', async (_, step, columns, message) => {
    await expect(run(step, columns)).rejects.toThrow(message)
  })
})
