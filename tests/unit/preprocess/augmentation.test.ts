/** Random changes in training only: who sees them, and what they depend on. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConfigError, Random, ShapeError } from '../../../src/core/index.js'
import { type Columns, Dataset } from '../../../src/data/index.js'
import { dropMissing, Preprocessor, scale, specAugment, standardize } from '../../../src/preprocess/index.js'

const ROWS = 12
const random = new Random(5)
const spectra: Columns = {
  x: { data: Float32Array.from({ length: ROWS * 10 * 8 }, () => random.normal() + 4), shape: [ROWS, 10, 8] },
  id: { data: Float32Array.from({ length: ROWS }, (_, i) => i), shape: [ROWS] },
}
const data = Dataset.fromArrays(spectra)
const chain = () => new Preprocessor([standardize('x'), specAugment('x'), scale('x', 2)])
const valuesOf = async (dataset: Dataset) => Array.from((await dataset.columns()).x!.data as Float32Array)

describe('augmentation', () => {
  it('is seen by rows to train on alone', async () => {
    const augmenting = await chain().fit(data)
    const plain = await new Preprocessor([standardize('x'), scale('x', 2)]).fit(data)
    expect(await valuesOf(augmenting.transform(data))).toEqual(await valuesOf(plain.transform(data)))
    expect(augmenting.transformColumns(spectra, { only: ['x'] }).x!.data).toEqual(
      plain.transformColumns(spectra, { only: ['x'] }).x!.data,
    )
    // What a later step learns does not depend on it either.
    const late = await new Preprocessor([specAugment('x'), standardize('x')]).fit(data)
    expect(JSON.parse(JSON.stringify(late)).fitted[1]).toEqual(JSON.parse(JSON.stringify(plain)).fitted[0])
    expect(await valuesOf(augmenting.transform(data, { augment: { seed: 1, epoch: 0 } }))).not.toEqual(
      await valuesOf(plain.transform(data)),
    )
  })

  it('depends on seed, epoch and row, not on how rows are dealt out', async () => {
    const preprocessor = await chain().fit(data)
    const { prepare, augment } = preprocessor.augmentation!
    const prepared = await prepare(data).columns()
    const whole = await valuesOf(preprocessor.transform(data, { augment: { seed: 3, epoch: 2 } }))
    fc.assert(
      fc.property(fc.shuffledSubarray(Array.from({ length: ROWS }, (_, i) => i)), (rows) => {
        const picked = Float32Array.from(
          rows.flatMap((row) => [...prepared.x!.data.slice(row * 80, (row + 1) * 80)] as number[]),
        )
        const columns = { x: { data: picked, shape: [rows.length, 10, 8] } }
        const { x } = augment(columns, { seed: 3, epoch: 2, rows })
        expect([...x!.data]).toEqual(rows.flatMap((row) => whole.slice(row * 80, (row + 1) * 80)))
      }),
      { numRuns: 30 },
    )
    for (const size of [1, 5])
      expect(await valuesOf(preprocessor.transform(data.batch(size), { augment: { seed: 3, epoch: 2 } }))).toEqual(
        whole,
      )
    for (const other of [
      { seed: 4, epoch: 2 },
      { seed: 3, epoch: 3 },
    ])
      expect(await valuesOf(preprocessor.transform(data, { augment: other }))).not.toEqual(whole)
  })

  it('changes columns of one step alike, and those of two steps not', async () => {
    const pair = Dataset.fromArrays({ a: spectra.x!, b: spectra.x! })
    const alike = await new Preprocessor([specAugment(['a', 'b'])])
      .transform(pair, { augment: { seed: 1, epoch: 0 } })
      .columns()
    expect(alike.a!.data).toEqual(alike.b!.data)
    const apart = await new Preprocessor([specAugment('a'), specAugment('b')])
      .transform(pair, { augment: { seed: 1, epoch: 0 } })
      .columns()
    expect(apart.a!.data).not.toEqual(apart.b!.data)
  })

  it('is saved and loaded with the rest', async () => {
    const preprocessor = await chain().fit(data)
    const loaded = Preprocessor.fromJSON(JSON.stringify(preprocessor))
    const augment = { seed: 9, epoch: 1 }
    expect(await valuesOf(loaded.transform(data, { augment }))).toEqual(
      await valuesOf(preprocessor.transform(data, { augment })),
    )
  })

  it('comes after steps that leave out rows', () => {
    expect(() => new Preprocessor([specAugment('x'), dropMissing()])).toThrow(ConfigError)
    expect(() => new Preprocessor([specAugment('x'), dropMissing()])).toThrow(/Step 1 \(dropMissing\).*before step 0/s)
    expect(new Preprocessor([dropMissing(), specAugment('x')]).augmentation).toBeDefined()
    expect(new Preprocessor([scale('x', 2)]).augmentation).toBeUndefined()
  })
})

describe('specAugment', () => {
  const masked = (options: Parameters<typeof specAugment>[1], row = 0) =>
    specAugment('x', options).augment!(
      { x: { data: new Float32Array(200).fill(7), shape: [1, 20, 10] } },
      () => new Random(row),
    ).x!.data as Float32Array

  it('masks whole frames and whole bands, no wider than asked', () => {
    for (let row = 0; row < 50; row++) {
      const time = masked({ timeMasks: 1, timeWidth: 3, frequencyMasks: 0, fill: 0 }, row)
      const frames = Array.from({ length: 20 }, (_, i) => [...time.subarray(i * 10, i * 10 + 10)])
      for (const frame of frames) expect(new Set(frame).size).toBe(1)
      expect(frames.filter(([value]) => value === 0).length).toBeLessThanOrEqual(3)
      const bands = masked({ timeMasks: 0, frequencyMasks: 1, frequencyWidth: 4, fill: 0 }, row)
      for (let i = 1; i < 20; i++) expect(bands.subarray(i * 10, i * 10 + 10)).toEqual(bands.subarray(0, 10))
      expect(bands.subarray(0, 10).filter((value) => value === 0).length).toBeLessThanOrEqual(4)
    }
  })

  it('draws each width equally often, from nothing to the most', () => {
    const counts = new Array<number>(4).fill(0)
    for (let row = 0; row < 4000; row++)
      counts[
        masked({ timeMasks: 1, timeWidth: 3, frequencyMasks: 0, fill: 0 }, row).filter((value) => value === 0).length /
          10
      ]!++
    // 1000 expected of each; the standard deviation is 27.
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(120)
  })

  it('fills with the mean of the row', () => {
    const x = { data: Float32Array.from([1, 2, 3, 6]), shape: [1, 2, 2] }
    const { x: all } = specAugment('x', { timeMasks: 40, timeWidth: 2, frequencyMasks: 0 }).augment!(
      { x },
      () => new Random(1),
    )
    expect([...all!.data]).toEqual([3, 3, 3, 3])
  })

  it.each([
    ['a negative width', () => specAugment('x', { timeWidth: -1 }), /timeWidth of specAugment/],
    ['half a mask', () => specAugment('x', { frequencyMasks: 0.5 }), /frequencyMasks of specAugment/],
    ['a fill that is no number', () => specAugment('x', { fill: Number.NaN }), /fill of specAugment.*number or 'mean'/],
    ['no column', () => specAugment([]), /at least one column/],
    [
      'sounds instead of spectra',
      () => new Preprocessor([specAugment('id')]).transformColumns(spectra),
      /Put logMel before it/,
    ],
  ])('says what is wrong with %s', (_, run, message) => {
    expect(run).toThrow(message)
  })

  it('keeps the class of its errors', () => {
    expect(() => new Preprocessor([specAugment('id')]).transformColumns(spectra)).toThrow(ShapeError)
  })
})
