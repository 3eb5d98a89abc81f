import { describe, expect, it } from 'vitest'
import { DataError, StateError, StorageError } from '../../../src/core/index.js'
import { type Columns, Dataset } from '../../../src/data/index.js'
import {
  addNoise,
  bucketize,
  bytePair,
  cast,
  clipOutliers,
  concat,
  crop,
  dateParts,
  dropDuplicates,
  dropMissing,
  flip,
  gain,
  hashBucket,
  impute,
  l2,
  logMel,
  maxAbs,
  mfcc,
  minMax,
  normalize,
  oneHot,
  ordinal,
  Preprocessor,
  pad,
  pca,
  polynomial,
  power,
  quantileTransform,
  randAugment,
  rename,
  resample,
  resize,
  robust,
  rotate,
  type Step,
  scale,
  select,
  smooth,
  specAugment,
  standardize,
  targetEncode,
  timeShift,
  vocabulary,
} from '../../../src/preprocess/index.js'
import { stepKinds } from '../../../src/preprocess/steps/index.js'

const values = [1, 2, 3, 4, 100, 6]

const table = (): Columns => ({
  x: { data: Float32Array.from(values.flatMap((value) => [value, 10])), shape: [6, 2] },
  v: { data: Float32Array.from(values), shape: [6] },
  y: { data: ['b', 'a', 'c', 'a', 'b', 'b'], shape: [6] },
})
const dataset = () => Dataset.fromArrays(table())

/** Fits on a stream of parts of 1, 2, 3 rows, so that states are updated and not only made. */
const inParts = (columns: Columns) =>
  Dataset.fromBatches(async function* () {
    const all = Dataset.fromArrays(columns)
    for (const [from, rows] of [
      [0, 1],
      [1, 2],
      [3, 3],
    ] as const)
      yield await all.skip(from).take(rows).columns()
  })

async function run(steps: Step[], columns = table()): Promise<Columns> {
  const preprocessor = await new Preprocessor(steps).fit(inParts(columns))
  return preprocessor.transform(Dataset.fromArrays(columns)).columns()
}

function expectClose(received: ArrayLike<number | string>, expected: number[]): void {
  expect(received.length).toBe(expected.length)
  expected.forEach((value, i) => {
    if (Number.isNaN(value)) expect(received[i]).toBeNaN()
    else expect(Math.abs((received[i] as number) - value)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(value)))
  })
}

describe('steps', () => {
  // StandardScaler, MinMaxScaler and numpy.percentile on the same values.
  const standardized = [
    -0.507716342170873, -0.48002272350700725, -0.4523291048431414, -0.42463548617927566, 2.2339519055518418,
    -0.369248248851544,
  ]
  it('standardizes as scikit-learn, with 0 for what never varies', async () => {
    const { x } = await run([standardize('x')])
    expectClose(
      x!.data,
      standardized.flatMap((value) => [value, 0]),
    )
  })

  it('scales between bounds', async () => {
    const { x } = await run([minMax('x', { from: -1, to: 1 })])
    expectClose(
      x!.data,
      [-1, -0.9797979797979797, -0.9595959595959596, -0.9393939393939393, 1, -0.8989898989898989].flatMap((value) => [
        value,
        -1,
      ]),
    )
  })

  it('clips outliers by each method', async () => {
    const clipped = (high: number, low = 1) => values.map((value) => Math.min(high, Math.max(low, value)))
    expectClose((await run([clipOutliers('v')])).v!.data, clipped(10.375))
    expectClose((await run([clipOutliers('v', { method: 'zscore', factor: 1 })])).v!.data, clipped(55.44273500227392))
    expectClose((await run([clipOutliers('v', { method: 'quantile', factor: 0.1 })])).v!.data, clipped(53, 1.5))
  })

  it('fills gaps', async () => {
    const columns = { v: { data: Float32Array.of(1, Number.NaN, 3, 8, 4, 4), shape: [6] } }
    expectClose((await run([impute('v')], columns)).v!.data, [1, 4, 3, 8, 4, 4])
    expectClose((await run([impute('v', { with: 'median' })], columns)).v!.data, [1, 4, 3, 8, 4, 4])
    expectClose((await run([impute('v', { with: 'constant', value: -1 })], columns)).v!.data, [1, -1, 3, 8, 4, 4])
  })

  it('leaves out rows with gaps, and fits on the others', async () => {
    const columns = {
      v: { data: Float32Array.of(1, Number.NaN, 3), shape: [3] },
      y: { data: ['a', 'b', ''], shape: [3] },
    }
    const preprocessor = new Preprocessor([dropMissing(), oneHot('y')])
    await preprocessor.fit(Dataset.fromArrays(columns))
    const clean = preprocessor.transform(Dataset.fromArrays(columns))
    expect(clean.size).toBeUndefined()
    expect(await clean.columns()).toEqual({
      v: { data: Float32Array.of(1), shape: [1] },
      y: { data: Float32Array.of(1), shape: [1, 1] },
    })
    expect(preprocessor.transformRow({ v: Number.NaN, y: 'a' })).toBeUndefined()
  })

  it('encodes categories in sorted order', async () => {
    const { y } = await run([oneHot('y')])
    expect(y).toEqual({
      data: Float32Array.of(0, 1, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0),
      shape: [6, 3],
    })
  })

  it('refuses an unseen category, or encodes zeros', async () => {
    const strict = await new Preprocessor([oneHot('y')]).fit(dataset())
    expect(() => strict.transformRow({ y: 'z' })).toThrow(/Step 0 \(oneHot\).*unseen category.*"z"/)
    const lenient = await new Preprocessor([oneHot('y', { unseen: 'zeros' })]).fit(dataset())
    expect(lenient.transformRow({ y: 'z' })!.y).toEqual(Float32Array.of(0, 0, 0))
  })

  it('scales pixels, casts, selects and renames', async () => {
    const columns = { x: { data: Uint8Array.of(0, 51, 255), shape: [3] }, z: { data: ['1', '2', '3'], shape: [3] } }
    const steps = [scale('x', 1 / 255), cast('z', 'int32'), rename({ z: 'y' }), select(['y'])]
    expect(await run(steps, columns)).toEqual({ y: { data: Int32Array.of(1, 2, 3), shape: [3] } })
    expectClose((await run([scale('x', 1 / 255)], columns)).x!.data, [0, 0.2, 1])
    await expect(run([cast('v', 'int32')], { v: { data: Float32Array.of(1, 1.5), shape: [2] } })).rejects.toThrow(/1.5/)
  })

  it('joins columns side by side', async () => {
    const joined = await run([oneHot('y'), concat(['y', 'v', 'x'])])
    expect(Object.keys(joined)).toEqual(['x'])
    expect(joined.x!.shape).toEqual([6, 6])
    expect([...joined.x!.data.slice(0, 12)]).toEqual([0, 1, 0, 1, 1, 10, 1, 0, 0, 2, 2, 10])
    await expect(run([concat(['v', 'y'])])).rejects.toThrow(/strings/)
  })

  it('takes each channel of an image as one group', async () => {
    const x = { data: Float32Array.of(0, 1, 2, 1, 4, 1, 6, 1), shape: [2, 2, 2] }
    const { x: out } = await run([standardize('x', { per: 'channel' })], { x })
    const s = Math.sqrt(5)
    expectClose(out!.data, [-3 / s, 0, -1 / s, 0, 1 / s, 0, 3 / s, 0])
  })

  it('can all be made again from their options', () => {
    const every = [
      addNoise('x', { std: 2 }),
      bucketize('x', { bins: 3 }),
      bytePair('x', { vocabularySize: 300 }),
      cast('x', 'int32'),
      clipOutliers('x'),
      concat(['x', 'y'], 'z'),
      crop('x', { height: 2, width: 3, at: 'random', padding: 1, fill: 2 }),
      dateParts('x', { parts: ['hour'], cyclic: true }),
      dropDuplicates(),
      dropMissing(),
      flip('x', { axis: 'both', probability: 0.1 }),
      gain('x', { decibels: 2 }),
      hashBucket('x', { buckets: 7, seed: 1 }),
      impute('x'),
      l2('x', { norm: 'l1' }),
      logMel('x', { sampleRate: 8000 }),
      maxAbs('x'),
      mfcc('x', { sampleRate: 8000, coefficients: 5 }),
      minMax('x'),
      normalize('x', { mean: [1, 2], std: 3 }),
      oneHot('x'),
      ordinal('x', { categories: ['a', 'b'], unseen: 'last' }),
      pad('x', { length: 3, side: 'start', mask: 'm' }),
      pca('x', { components: 2 }),
      polynomial('x', { degree: 3 }),
      power('x'),
      quantileTransform('x', { output: 'normal' }),
      randAugment('x', { count: 1, operations: ['color'], white: 2 }),
      rename({ a: 'b' }),
      resample('x', { from: 3, to: 2 }),
      resize('x', { height: 2, width: 3, method: 'nearest' }),
      robust('x', { range: [0.1, 0.9] }),
      rotate('x', { degrees: 3 }),
      scale('x', 2),
      select('x'),
      smooth('x', { window: 3, method: 'median' }),
      specAugment('x', { timeMasks: 1, timeWidth: 3, frequencyWidth: 4, fill: 0 }),
      standardize('x'),
      targetEncode('x', { target: 'z', smoothing: 2 }),
      timeShift('x', { most: 2 }),
      vocabulary('x', { level: 'character', tokens: ['a', 'b'] }),
    ]
    expect(every.map(({ kind }) => kind).sort()).toEqual(Object.keys(stepKinds).sort())
    for (const step of every) {
      const again = stepKinds[step.kind]!(JSON.parse(JSON.stringify(step.options)))
      expect(JSON.stringify(again)).toBe(JSON.stringify(step))
    }
  })
})

describe('Preprocessor', () => {
  const steps = () => [clipOutliers('x'), standardize('x'), oneHot('y')]

  it('fits a step on what the steps before it make', async () => {
    const chained = await run([clipOutliers('v'), standardize('v')])
    const apart = await run([standardize('v')], await run([clipOutliers('v')]))
    expect(chained.v).toEqual(apart.v)
  })

  it('reads the data once where steps are independent, and once more where not', async () => {
    const passes = async (chain: Step[]) => {
      let opened = 0
      const counted = Dataset.fromBatches(() => {
        opened++
        return dataset().batches(2)
      })
      await new Preprocessor(chain).fit(counted)
      return opened
    }
    expect(await passes([dropMissing(), standardize('x'), minMax('v'), oneHot('y')])).toBe(1)
    expect(await passes([clipOutliers('x'), standardize('x'), oneHot('y')])).toBe(2)
    expect(await passes([scale('x', 2)])).toBe(0)
  })

  it('gives the same for a row as for a dataset, and keeps the size', async () => {
    const preprocessor = await new Preprocessor(steps()).fit(dataset())
    const transformed = preprocessor.transform(dataset())
    expect(transformed.size).toBe(6)
    const { x } = await transformed.columns()
    expect(preprocessor.transformRow({ x: Float32Array.of(3, 10), y: 'a' })).toEqual({
      x: x!.data.slice(4, 6),
      y: Float32Array.of(1, 0, 0),
    })
  })

  it('inverts what can be inverted', async () => {
    const preprocessor = await new Preprocessor([scale('v', 0.5), standardize('v'), minMax('x'), oneHot('y')]).fit(
      dataset(),
    )
    const row = preprocessor.inverse(preprocessor.transformRow({ v: 4, x: [6, 10], y: 'c' })!)
    expect(row.y).toBe('c')
    expectClose([row.v as number], [4])
    expectClose(row.x as Float32Array, [6, 10])
    expect(preprocessor.inverse({ y: [0.2, 0.7, 0.1] })).toEqual({ y: 'b' })
  })

  it('works on features alone in use', async () => {
    const preprocessor = await new Preprocessor(steps()).fit(dataset())
    const { x } = preprocessor.transformColumns({ x: table().x! }, { only: ['x'] })
    expect(x).toEqual((await preprocessor.transform(dataset()).columns()).x)
    // A step may have the target beside features; a feature that is missing is an error all the same.
    const both = await new Preprocessor([impute(['x', 'v']), minMax(['x', 'v']), concat(['x'])]).fit(dataset())
    const { x: alone } = both.transformColumns({ x: table().x! }, { only: ['x'] })
    expect(alone).toEqual((await both.transform(dataset()).columns()).x)
    expect(() => both.transformColumns({ v: table().v! }, { only: ['v', 'x'] })).toThrow(/needs the column "x"/)
  })

  it('survives JSON', async () => {
    const preprocessor = await new Preprocessor(steps()).fit(dataset())
    const again = Preprocessor.fromJSON(JSON.stringify(preprocessor))
    expect(await again.transform(dataset()).columns()).toEqual(await preprocessor.transform(dataset()).columns())
    expect(Preprocessor.fromJSON(JSON.stringify(new Preprocessor(steps()))).fitted).toBe(false)
    expect(() => Preprocessor.fromJSON('{}')).toThrow(StorageError)
    expect(() => Preprocessor.fromJSON('nonsense')).toThrow(StorageError)
  })

  it('says so when it is not fitted, or a column is missing', async () => {
    const preprocessor = new Preprocessor([scale('x', 2), standardize('x')])
    expect(() => preprocessor.transform(dataset())).toThrow(StateError)
    expect(() => preprocessor.transformRow({ x: 1 })).toThrow(/before fit.*step 1 \(standardize\)/)
    await preprocessor.fit(dataset())
    expect(() => preprocessor.transformColumns({ z: table().v! })).toThrow(/Step 0 \(scale\).*"x".*columns z/)
    await expect(new Preprocessor([standardize('none')]).fit(dataset())).rejects.toThrow(DataError)
    await expect(new Preprocessor([standardize('y')]).fit(dataset())).rejects.toThrow(/strings/)
    await expect(new Preprocessor([impute('v')]).fit(Dataset.fromRows([{ v: Number.NaN }]))).rejects.toThrow(DataError)
  })
})
