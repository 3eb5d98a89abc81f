/** Fitting on parts and merging gives what fitting on all rows gives, however the rows are dealt out. */
import { expect, it } from 'vitest'
import { Random } from '../../../src/core/index.js'
import { type Columns, gatherRows } from '../../../src/data/index.js'
import {
  bucketize,
  clipOutliers,
  impute,
  maxAbs,
  minMax,
  oneHot,
  ordinal,
  pca,
  power,
  quantileTransform,
  robust,
  standardize,
  targetEncode,
} from '../../../src/preprocess/index.js'

const ROWS = 90
const random = new Random(1)
const columns: Columns = {
  x: { data: Float32Array.from({ length: ROWS * 3 }, () => random.normal() * 3 + 100), shape: [ROWS, 3] },
  c: { data: Array.from({ length: ROWS }, () => 'abcdefg'[random.integer(7)]!), shape: [ROWS] },
  y: { data: Float32Array.from({ length: ROWS }, () => random.integer(2)), shape: [ROWS] },
}

const close = (merged: unknown, whole: unknown): void => {
  if (typeof whole === 'number')
    expect(Math.abs((merged as number) - whole)).toBeLessThanOrEqual(1e-9 * Math.abs(whole) + 1e-12)
  else if (whole !== null && typeof whole === 'object') {
    expect(Object.keys(merged as object)).toEqual(Object.keys(whole))
    for (const key of Object.keys(whole))
      close((merged as Record<string, unknown>)[key], (whole as Record<string, unknown>)[key])
  } else expect(merged).toBe(whole)
}

it.each([
  standardize('x'),
  minMax('x'),
  maxAbs('x'),
  robust('x'),
  power('x'),
  quantileTransform('x', { quantiles: 20 }),
  bucketize('x'),
  bucketize('x', { strategy: 'uniform' }),
  clipOutliers('x'),
  clipOutliers('x', { method: 'zscore' }),
  impute('x'),
  impute('x', { with: 'median' }),
  pca('x', { components: 3 }),
  oneHot('c'),
  ordinal('c'),
  targetEncode('c'),
])('$kind, $options', ({ fitting }) => {
  const all = fitting!.start()
  fitting!.update(all, columns)
  const whole = fitting!.finish(all)
  for (let trial = 0; trial < 20; trial++) {
    const shards = 1 + random.integer(8)
    const rows: number[][] = Array.from({ length: shards }, () => [])
    for (const row of random.permutation(ROWS)) rows[random.integer(shards)]!.push(row)
    const states = rows.map((own) => {
      const state = fitting!.start()
      // Some shards see their rows in two parts, and some none at all.
      const half = random.integer(own.length + 1)
      for (const part of [own.slice(0, half), own.slice(half)])
        if (part.length > 0) fitting!.update(state, gatherRows(columns, part))
      return state
    })
    close(fitting!.finish(states.reduce((first, second) => fitting!.merge(first, second))), whole)
  }
})
