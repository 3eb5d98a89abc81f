/** Mistakes in a chain of steps are named with the step, before any row is read where the columns are known. */
import { describe, expect, it } from 'vitest'
import { ConfigError, DataError, ShapeError } from '../../../src/core/index.js'
import { type Columns, Dataset, gatherRows } from '../../../src/data/index.js'
import {
  bucketize,
  cast,
  concat,
  dropDuplicates,
  dropMissing,
  impute,
  oneHot,
  ordinal,
  Preprocessor,
  pca,
  rename,
  robust,
  type Step,
  select,
  standardize,
  targetEncode,
} from '../../../src/preprocess/index.js'

const table = (): Columns => ({
  age: { data: Float32Array.of(20, 30, 40, 50), shape: [4] },
  city: { data: ['a', 'b', 'a', 'b'], shape: [4] },
  x: { data: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 9), shape: [4, 2] },
  y: { data: Int32Array.of(0, 1, 0, 1), shape: [4] },
})
const dataset = () => Dataset.fromArrays(table())

/** A stream of three chunks, as long as those that fitting reads, which counts how many were asked for. */
function counted(columns: Columns): { stream: Dataset; reads: () => number } {
  let reads = 0
  const chunk = gatherRows(
    columns,
    Array.from({ length: 1024 }, (_, i) => i % 4),
  )
  const stream = Dataset.fromBatches(async function* () {
    for (let i = 0; i < 3; i++) {
      reads++
      yield chunk
    }
  })
  return { stream, reads: () => reads }
}

describe('a chain that cannot work on any data', () => {
  it.each<[string, Step[], RegExp]>([
    [
      'reads what a step leaves out',
      [concat(['age', 'x']), standardize('age')],
      /^Step 1 \(standardize\) of the preprocessor needs the column "age", which step 0 \(concat\) leaves out/,
    ],
    ['reads an old name', [rename({ age: 'years' }), standardize('age')], /Step 1 .*"age", which step 0 \(rename\)/],
    ['reads what is not selected', [select(['x']), oneHot('city')], /Step 1 .*"city", which step 0 \(select\)/],
    ['makes a column twice', [concat(['a'], 'v'), rename({ b: 'v' })], /Step 1 \(rename\).*makes the column "v"/],
    ['makes a column that a step before reads', [standardize('x'), concat(['a', 'b'])], /Step 1 .*"x".*there already/],
  ])('%s', (_, steps, message) => {
    expect(() => new Preprocessor(steps)).toThrow(ConfigError)
    expect(() => new Preprocessor(steps)).toThrow(message)
  })

  it('goes through where names are swapped, used again, or made of themselves', () => {
    for (const steps of [
      [rename({ a: 'b', b: 'a' }), standardize(['a', 'b'])],
      [concat(['x', 'v'], 'x'), standardize('x')],
      [rename({ a: 'b' }), rename({ b: 'a' }), standardize('a')],
      [select(['a', 'b']), rename({ b: 'c' }), concat(['a', 'c'], 'b')],
      [cast('a', 'float32'), standardize('a'), dropMissing(), dropDuplicates()],
    ])
      expect(() => new Preprocessor(steps)).not.toThrow()
  })
})

const mistakes: [string, Step[], RegExp, typeof ConfigError | typeof DataError][] = [
  ['a missing column', [dropMissing(), standardize('agee')], /Step 1 \(standardize\).*"agee".*mean 'age'/, DataError],
  ['a missing target', [impute('age'), targetEncode('city', { target: 'price' })], /Step 1 .*"price"/, DataError],
  ['strings for numbers', [impute('age'), robust('city')], /Step 1 \(robust\) .*numbers.*"city".*strings/, DataError],
  [
    'a column made twice',
    [standardize('age'), rename({ age: 'x' })],
    /Step 1 \(rename\).*"x".*the dataset/,
    ConfigError,
  ],
  ['a column selected that is not there', [select(['x', 'y', 'z'])], /Step 0 \(select\).*"z"/, DataError],
]

describe.each(mistakes)('%s', (_, steps, message, Class) => {
  it('is told before a row is read where the columns are known', async () => {
    const failure = new Preprocessor(steps).fit(dataset())
    await expect(failure).rejects.toThrow(message)
    await expect(failure).rejects.toThrow(Class)
  })

  it('is told at the first rows of a stream', async () => {
    const { stream, reads } = counted(table())
    // Something to learn, so that fitting reads at all.
    await expect(new Preprocessor([...steps, ordinal('y')]).fit(stream)).rejects.toThrow(message)
    expect(reads()).toBe(1)
  })
})

describe('other columns than fitted on', () => {
  const steps = () => [standardize('x'), oneHot('city')]

  it('are told at once, or at the first rows of a stream, and after JSON', async () => {
    const preprocessor = await new Preprocessor(steps()).fit(dataset())
    const { city, ...rest } = table()
    const numbered: Columns = { ...rest, city: { data: Float32Array.of(1, 2, 1, 2), shape: [4] } }
    for (const ready of [preprocessor, Preprocessor.fromJSON(JSON.stringify(preprocessor))]) {
      expect(() => ready.transform(Dataset.fromArrays(rest))).toThrow(/Step 1 \(oneHot\).*"city"/)
      expect(() => ready.transform(Dataset.fromArrays(numbered))).toThrow(/step 1 \(oneHot\).*strings.*numbers/)
      const { stream, reads } = counted(numbered)
      await expect(ready.transform(stream).columns()).rejects.toThrow(/step 1 \(oneHot\).*strings.*numbers/)
      expect(reads()).toBe(1)
      expect(() => ready.transformRow({ x: [1, 2], city: 3 }, { only: ['x', 'city'] })).toThrow(/strings.*numbers/)
    }
    expect(preprocessor.transformRow({ x: [1, 2] }, { only: ['x'] })).toBeDefined()
  })

  it.each([standardize('x'), bucketize('x', { bins: 2 }), pca('x', { components: 1 })])(
    'are refused by $kind where rows have another size',
    async (step) => {
      const preprocessor = await new Preprocessor([step]).fit(dataset())
      const wider = Dataset.fromArrays({ x: { data: new Float32Array(12), shape: [4, 3] } })
      const failure = preprocessor.transform(wider).columns()
      await expect(failure).rejects.toThrow(ShapeError)
      await expect(failure).rejects.toThrow(/"x".*2 values per row.*\[3\]/)
    },
  )

  it('may come with further ones, and without the target', async () => {
    const preprocessor = await new Preprocessor([targetEncode('city')]).fit(dataset())
    const { age, city } = table()
    const made = await preprocessor.transform(Dataset.fromArrays({ age: age!, city: city!, more: age! })).columns()
    expect(Object.keys(made)).toEqual(['age', 'city', 'more'])
  })
})

it('fits a target encoder on the target as a step before makes it', async () => {
  const columns: Columns = {
    city: { data: ['a', 'b', 'a', 'b'], shape: [4] },
    y: { data: ['no', 'yes', 'no', 'yes'], shape: [4] },
  }
  const preprocessor = new Preprocessor([ordinal('y'), targetEncode('city', { smoothing: 0 })])
  const { city } = await (await preprocessor.fit(Dataset.fromArrays(columns)))
    .transform(Dataset.fromArrays(columns))
    .columns()
  expect([...city!.data]).toEqual([0, 1, 0, 1])
})
