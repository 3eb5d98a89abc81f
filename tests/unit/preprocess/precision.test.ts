import { describe, expect, it } from 'vitest'
import { Dataset, rowAt, sources } from '../../../src/data/index.js'
import { bucketize, hashBucket, oneHot, ordinal, Preprocessor, type Step } from '../../../src/preprocess/index.js'

/** Ids that are the same number as float32. */
const ids = [1234567890, 1234567891, 1234567892, 16777217, 16777216]
const idData = () => Dataset.fromArrays({ id: { data: Float64Array.from(ids), shape: [ids.length] } })

const steps: Record<string, () => Step> = {
  hashBucket: () => hashBucket('id', { buckets: 1000 }),
  oneHot: () => oneHot('id'),
  ordinal: () => ordinal('id'),
}

describe('the same value in training and in use', () => {
  it.each(Object.keys(steps))('gives a large id the same code by %s from a column and from a row', async (kind) => {
    const preprocessor = await new Preprocessor([steps[kind]!()]).fit(idData())
    const { id } = await preprocessor.transform(idData()).columns()
    const saved = Preprocessor.fromJSON(JSON.stringify(preprocessor))
    const codes = ids.map((value) => saved.transformRow({ id: value })!.id)
    const trained = ids.map((_, row) => rowAt({ id: id! }, row).id)
    expect(codes).toEqual(trained)
  })

  it.each([
    ['Dataset.fromRows', () => Dataset.fromRows(ids.map((id) => ({ id })))],
    ['a stream of rows', () => Dataset.fromRows(() => ids.map((id) => ({ id })).values())],
    ['map', () => idData().map((row) => ({ ...row }))],
    ['csv', () => sources.csv(new Blob([`id\n${ids.join('\n')}\n`]))],
    ['jsonl', () => sources.jsonl(new Blob([ids.map((id) => `{"id":${id}}\n`).join('')]))],
  ])('keeps large whole numbers apart that come from %s', async (_, make) => {
    const { id } = await make().columns()
    expect([...id!.data]).toEqual(ids)
  })

  it('rounds what it was fitted on as float32, and only that', async () => {
    // 0.7 as float32 lies below 0.7, which is where the bin begins.
    const step = bucketize('x', { boundaries: [0.7] })
    const rows = [{ x: 0.7 }]
    const as = (data: Float32Array | Float64Array) => Dataset.fromArrays({ x: { data, shape: [1] } })
    const [narrow, wide] = [as(Float32Array.of(0.7)), as(Float64Array.of(0.7))]
    for (const [train, bin] of [
      [narrow, 0],
      [wide, 1],
    ] as const) {
      const preprocessor = new Preprocessor([step])
      expect(preprocessor.knowsPrecision).toBe(false)
      expect([...(await preprocessor.transform(train).columns()).x!.data]).toEqual([bin])
      expect(preprocessor.transformRow(rows[0]!)!.x).toBe(bin)
      const saved = Preprocessor.fromJSON(JSON.stringify(preprocessor))
      expect(saved.transformRow(rows[0]!)!.x).toBe(bin)
      expect([...saved.transformColumns(await wide.columns()).x!.data]).toEqual([bin])
    }
  })

  it('learns the precision anew with every fit', async () => {
    const preprocessor = new Preprocessor([oneHot('id')])
    await preprocessor.fit(Dataset.fromRows([{ id: 1 }, { id: 2 }]))
    await preprocessor.fit(idData())
    expect([...(preprocessor.transformRow({ id: ids[1]! })!.id as Float32Array)].indexOf(1)).toBe(3)
  })
})
