/** Parts of a dataset: without a row in common, even where they should be, and never a group torn apart. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConfigError, DataError, StateError } from '../../../src/core/index.js'
import { Dataset } from '../../../src/data/index.js'

/** Rows with a number, a class and the patient they are of. */
function rowsWith(classes: readonly number[], patients: readonly number[]): Dataset {
  const rows = classes.length
  return Dataset.fromArrays({
    id: { data: Int32Array.from({ length: rows }, (_, i) => i), shape: [rows] },
    y: { data: Int32Array.from(classes), shape: [rows] },
    patient: { data: patients.map((patient) => `patient ${patient}`), shape: [rows] },
  })
}

const tables = fc.array(fc.tuple(fc.nat(3), fc.nat(9)), { minLength: 12, maxLength: 60 }).map((rows) =>
  rowsWith(
    rows.map(([y]) => y),
    rows.map(([, patient]) => patient),
  ),
)

async function valuesOf(dataset: Dataset, name: string): Promise<(number | string)[]> {
  return [...(await dataset.columns())[name]!.data]
}

const counts = (values: readonly (number | string)[]) => {
  const count = new Map<number | string, number>()
  for (const value of values) count.set(value, (count.get(value) ?? 0) + 1)
  return count
}

const spread = (numbers: readonly number[]) => Math.max(...numbers) - Math.min(...numbers)

describe('kFold', () => {
  it.each([
    ['plain', {}],
    ['stratified', { stratifyBy: 'y' }],
    ['grouped', { groupBy: 'patient' }],
  ])('%s: each row is validated on once, and trained on in all other folds', async (_, options) => {
    await fc.assert(
      fc.asyncProperty(tables, fc.integer({ min: 2, max: 5 }), fc.nat(), async (data, folds, seed) => {
        fc.pre(counts(await valuesOf(data, 'patient')).size >= folds)
        const parts = data.kFold(folds, { seed, ...options })
        expect(parts.length).toBe(folds)
        const all = await valuesOf(data, 'id')
        const validated: (number | string)[] = []
        for (const { train, validation } of parts) {
          const own = await valuesOf(validation, 'id')
          validated.push(...own)
          expect(await valuesOf(train, 'id')).toEqual(all.filter((id) => !own.includes(id)))
        }
        expect(validated.sort((a, b) => (a as number) - (b as number))).toEqual(all)
        const again = data.kFold(folds, { seed, ...options })
        expect(await valuesOf(again[0]!.validation, 'id')).toEqual(await valuesOf(parts[0]!.validation, 'id'))
      }),
      { seed: 1, numRuns: 40 },
    )
  })

  it('has folds of the same size, to one row; stratified, as many of each class, to one row', async () => {
    await fc.assert(
      fc.asyncProperty(tables, fc.integer({ min: 2, max: 6 }), fc.nat(), async (data, folds, seed) => {
        for (const stratifyBy of [undefined, 'y']) {
          const parts = data.kFold(folds, { seed, ...(stratifyBy && { stratifyBy }) })
          expect(spread(parts.map(({ validation }) => validation.size!))).toBeLessThanOrEqual(1)
          if (!stratifyBy) continue
          const classes = await Promise.all(
            parts.map(async ({ validation }) => counts(await valuesOf(validation, 'y'))),
          )
          for (const y of new Set(await valuesOf(data, 'y')))
            expect(spread(classes.map((count) => count.get(y) ?? 0))).toBeLessThanOrEqual(1)
        }
      }),
      { seed: 2, numRuns: 40 },
    )
  })

  it('keeps groups whole, in folds that differ by no more than the largest of them', async () => {
    await fc.assert(
      fc.asyncProperty(tables, fc.integer({ min: 2, max: 4 }), fc.nat(), async (data, folds, seed) => {
        const groups = counts(await valuesOf(data, 'patient'))
        fc.pre(groups.size >= folds)
        const parts = data.kFold(folds, { seed, groupBy: 'patient' })
        const seen = await Promise.all(
          parts.map(async ({ validation }) => new Set(await valuesOf(validation, 'patient'))),
        )
        expect(seen.reduce((sum, own) => sum + own.size, 0)).toBe(groups.size)
        expect(spread(parts.map(({ validation }) => validation.size!))).toBeLessThanOrEqual(
          Math.max(...groups.values()),
        )
      }),
      { seed: 3, numRuns: 40 },
    )
  })

  it('has other folds for another seed, and works on a part of the rows', async () => {
    const data = rowsWith(
      Array.from({ length: 40 }, (_, i) => i % 2),
      Array(40).fill(0),
    ).skip(10)
    const [one, two] = [1, 2].map((seed) => data.kFold(4, { seed, stratifyBy: 'y' }))
    expect(await valuesOf(one![0]!.validation, 'id')).not.toEqual(await valuesOf(two![0]!.validation, 'id'))
    expect(Math.min(...((await valuesOf(one![0]!.train, 'id')) as number[]))).toBeGreaterThanOrEqual(10)
  })

  it('says what it cannot do', () => {
    const data = rowsWith([0, 1, 0], [1, 1, 2])
    expect(() => data.kFold(1)).toThrow(ConfigError)
    expect(() => data.kFold(4)).toThrow(/3 rows are too few for 4 folds/)
    expect(() => data.kFold(3, { groupBy: 'patient' })).toThrow(DataError)
    expect(() => data.kFold(3, { groupBy: 'patient' })).toThrow(/2 groups are too few for 3 folds/)
    expect(() => data.kFold(2, { groupBy: 'patient', stratifyBy: 'y' })).toThrow(/stratifyBy or groupBy/)
    expect(() => data.kFold(2, { groupBy: 'patiant' })).toThrow(/kFold needs the column "patiant".*'patient'/)
    expect(() => data.map((row) => row).kFold(2)).toThrow(StateError)
  })
})

describe('a split by groups', () => {
  it('has every row once, and no group in two parts', async () => {
    await fc.assert(
      fc.asyncProperty(tables, fc.nat(), async (data, seed) => {
        const groups = counts(await valuesOf(data, 'patient'))
        // The largest must not leave the smallest part empty.
        fc.pre(groups.size >= 6 && Math.max(...groups.values()) < 0.3 * data.size!)
        const { train, test } = data.split({ train: 0.7, test: 0.3 }, { seed, groupBy: 'patient' })
        const [inTrain, inTest] = await Promise.all([train, test].map((part) => valuesOf(part, 'patient')))
        expect(inTrain!.some((patient) => inTest!.includes(patient))).toBe(false)
        const ids = [...(await valuesOf(train, 'id')), ...(await valuesOf(test, 'id'))] as number[]
        expect(ids.sort((a, b) => a - b)).toEqual(await valuesOf(data, 'id'))
        expect(Math.abs(train.size! - 0.7 * data.size!)).toBeLessThanOrEqual(Math.max(...groups.values()))
        const again = data.split({ train: 0.7, test: 0.3 }, { seed, groupBy: 'patient' })
        expect(await valuesOf(again.test, 'id')).toEqual(await valuesOf(test, 'id'))
      }),
      { seed: 4, numRuns: 40 },
    )
  })

  it('says when there are too few groups', () => {
    const data = rowsWith([0, 1, 0], [1, 1, 1])
    expect(() => data.split({ a: 0.5, b: 0.5 }, { groupBy: 'patient' })).toThrow(/3 rows in these groups are too few/)
  })
})
