import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { normalQuantile, symmetricEigen } from '../../../src/core/index.js'
import { type Columns, Dataset } from '../../../src/data/index.js'
import {
  bucketize,
  l2,
  maxAbs,
  minMax,
  Preprocessor,
  pca,
  polynomial,
  power,
  quantileTransform,
  robust,
  type Step,
  standardize,
} from '../../../src/preprocess/index.js'
import { murmur3 } from '../../../src/preprocess/steps/hash-bucket.js'

const golden = JSON.parse(readFileSync(new URL('../../golden/sklearn/steps.json', import.meta.url), 'utf8')) as {
  cases: Record<string, { x: number[][]; steps: Record<string, number[][]> }>
  polynomial: { x: number[][]; [options: string]: number[][] }
  murmur3: [text: string, seed: number, hash: number][]
  normalQuantile: [p: number, x: number][]
}

const steps: Record<string, Step> = {
  standardize: standardize('x'),
  minMax: minMax('x'),
  maxAbs: maxAbs('x'),
  robust: robust('x'),
  l2: l2('x'),
  l1: l2('x', { norm: 'l1' }),
  max: l2('x', { norm: 'max' }),
  bucketize: bucketize('x', { bins: 4, strategy: 'uniform' }),
  quantileUniform: quantileTransform('x', { quantiles: 50 }),
  quantileNormal: quantileTransform('x', { quantiles: 50, output: 'normal' }),
  power: power('x'),
  pca: pca('x', { components: 3 }),
  pcaWhite: pca('x', { components: 3, whiten: true }),
}

/** Outputs are float32; the exponent of `power` is found by iteration, in scikit-learn to about 1e-8. */
const tolerances: Record<string, number> = { power: 2e-6, pcaWhite: 2e-6, pca: 1e-6 }

const columnsOf = (x: number[][]): Columns => ({
  x: { data: Float32Array.from(x.flat()), shape: [x.length, x[0]!.length] },
})

/** A stream in parts of uneven sizes, so that states are updated and not only made. */
const inParts = (columns: Columns) =>
  Dataset.fromBatches(async function* () {
    const all = Dataset.fromArrays(columns)
    for (let from = 0, rows = 1; from < columns.x!.shape[0]!; from += rows, rows += 7)
      yield await all.skip(from).take(rows).columns()
  })

describe.each(Object.entries(golden.cases))('%s', (_, { x, steps: expected }) => {
  it.each(Object.entries(expected))('%s agrees with scikit-learn', async (name, values) => {
    const preprocessor = await new Preprocessor([steps[name]!]).fit(inParts(columnsOf(x)))
    const again = Preprocessor.fromJSON(JSON.stringify(preprocessor))
    const made = again.transformColumns(columnsOf(x)).x!
    expect(made.shape).toEqual([x.length, values[0]!.length])
    const largest = Math.max(...values.flat().map(Math.abs))
    values.flat().forEach((value, i) => {
      const error = Math.abs((made.data[i] as number) - value)
      expect(error).toBeLessThanOrEqual((tolerances[name] ?? 2e-7) * Math.max(largest, 1e-3))
    })
  })

  it.each(['standardize', 'minMax', 'maxAbs', 'robust', 'power'])('%s can be undone', async (name) => {
    const preprocessor = await new Preprocessor([steps[name]!]).fit(inParts(columnsOf(x)))
    const row = preprocessor.transformRow({ x: Float32Array.from(x[3]!) })!
    const back = preprocessor.inverse(row).x as Float32Array
    x[3]!.forEach((value, i) => {
      expect(Math.abs(back[i]! - value)).toBeLessThanOrEqual(1e-4 * Math.max(1, Math.abs(value)))
    })
  })

  it('pca with all directions can be undone', async () => {
    const preprocessor = await new Preprocessor([pca('x', { components: x[0]!.length })]).fit(inParts(columnsOf(x)))
    const back = preprocessor.inverse(preprocessor.transformRow({ x: Float32Array.from(x[3]!) })!).x as Float32Array
    const largest = Math.max(...x.flat().map(Math.abs))
    x[3]!.forEach((value, i) => {
      expect(Math.abs(back[i]! - value)).toBeLessThanOrEqual(1e-5 * largest)
    })
  })
})

it('makes products in the order of scikit-learn', () => {
  const { x } = golden.polynomial
  const made = (options: Parameters<typeof polynomial>[1]) =>
    new Preprocessor([polynomial('x', options)]).transformColumns(columnsOf(x)).x!
  for (const [key, options] of [
    ['degree 3', { degree: 3 }],
    ['interactions, with bias', { interactionOnly: true, bias: true }],
  ] as const) {
    const { data, shape } = made(options)
    expect(shape).toEqual([x.length, golden.polynomial[key]![0]!.length])
    golden.polynomial[key]!.flat().forEach((value, i) => {
      expect(Math.abs((data[i] as number) - value)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(value)))
    })
  }
})

it.each(golden.murmur3)('hashes %j with seed %i as scikit-learn', (text, seed, hash) => {
  expect(murmur3(text, seed)).toBe(hash)
})

it.each(golden.normalQuantile)('finds the normal quantile of %d as SciPy', (p, x) => {
  expect(Math.abs(normalQuantile(p) - x)).toBeLessThanOrEqual(2e-15 * Math.max(1, Math.abs(x)) * (p > 0.9999 ? 1e8 : 1))
})

it('decomposes symmetric matrices', () => {
  const n = 30
  const matrix = Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => Math.cos(i * j + (i + j))))
  const symmetric = matrix.map((row, i) => row.map((value, j) => value + matrix[j]![i]!))
  const { values, vectors } = symmetricEigen(symmetric)
  expect([...values]).toEqual([...values].sort((a, b) => b - a))
  vectors.forEach((vector, k) => {
    const image = symmetric.map((row) => row.reduce((sum, value, j) => sum + value * vector[j]!, 0))
    image.forEach((value, i) => {
      expect(value).toBeCloseTo(values[k]! * vector[i]!, 11)
    })
    vectors.forEach((other, l) => {
      const product = vector.reduce((sum, value, i) => sum + value * other[i]!, 0)
      expect(product).toBeCloseTo(Number(k === l), 12)
    })
  })
  expect(symmetricEigen([[3]]).values[0]).toBe(3)
})
