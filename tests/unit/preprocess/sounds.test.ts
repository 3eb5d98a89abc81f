/** Steps of sounds, against torchaudio, and by what must hold of them. */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Random, ShapeError } from '../../../src/core/index.js'
import type { Columns } from '../../../src/data/index.js'
import { addNoise, gain, Preprocessor, resample, type Step, timeShift } from '../../../src/preprocess/index.js'

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../golden/torchaudio/${name}.json`, import.meta.url), 'utf8'))
const { sounds } = read('spectra') as { sounds: number[][] }
const resampled = read('resampled') as { from: number; to: number; values: number[][] }[]

const apply = (step: Step, columns: Columns) => new Preprocessor([step]).transformColumns(columns).x!
const augmented = (step: Step, columns: Columns, seed: number) =>
  step.augment!(columns, (row) => new Random(seed, 0, [row, 1])).x!
const floats = (data: ArrayLike<number>, ...shape: number[]): Columns => ({
  x: { data: Float32Array.from(data), shape },
})

describe('resample', () => {
  const short = floats(
    sounds.slice(0, 3).flatMap((sound) => sound.slice(0, 200)),
    3,
    200,
  )

  it.each(resampled)('from $from to $to agrees with torchaudio', ({ from, to, values }) => {
    const { data, shape } = apply(resample('x', { from, to }), short)
    expect(shape).toEqual([3, values[0]!.length])
    let worst = 0
    for (const [i, value] of values.flat().entries()) worst = Math.max(worst, Math.abs((data[i] as number) - value))
    expect(worst).toBeLessThan(1e-6)
  })

  it('gives ceil(samples to / from) samples, and a slow tone at its new places', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 0, max: 90 }),
        (from, to, samples) => {
          const { shape } = apply(resample('x', { from, to }), floats(new Float32Array(samples), 1, samples))
          expect(shape).toEqual([1, Math.ceil((samples * to) / from)])
        },
      ),
      { numRuns: 60 },
    )
    const tone = (rate: number) => Float32Array.from({ length: rate }, (_, i) => Math.sin((2 * Math.PI * 5 * i) / rate))
    const { data } = apply(resample('x', { from: 800, to: 500, width: 32 }), floats(tone(800), 1, 800))
    const expected = tone(500)
    // Away from the ends, beyond which it is silent.
    for (let i = 60; i < 440; i++) expect(data[i]).toBeCloseTo(expected[i]!, 3)
  })

  it('leaves the rate that is there, and rounds whole numbers', () => {
    expect(apply(resample('x', { from: 8000, to: 8000 }), short)).toEqual(short.x)
    const whole = { x: { data: Int16Array.from({ length: 100 }, (_, i) => 1000 * Math.sin(i / 9)), shape: [1, 100] } }
    const { data } = apply(resample('x', { from: 2, to: 1 }), whole)
    expect(data).toBeInstanceOf(Int16Array)
    const exact = apply(resample('x', { from: 2, to: 1 }), floats(whole.x.data, 1, 100)).data as Float32Array
    exact.forEach((value, i) => {
      expect(Math.abs((data[i] as number) - value)).toBeLessThanOrEqual(0.5)
    })
  })
})

describe('gain', () => {
  it('makes a row as a whole louder or softer, within its bounds', () => {
    const factors = new Set<number>()
    for (let seed = 0; seed < 100; seed++) {
      const [first, second] = augmented(gain('x', { decibels: 20 }), floats([1, -0.5], 1, 2), seed).data as Float32Array
      expect(second! / first!).toBeCloseTo(-0.5, 6)
      expect(Math.abs(20 * Math.log10(first!))).toBeLessThanOrEqual(20)
      factors.add(first!)
    }
    expect(factors.size).toBeGreaterThan(90)
    expect(augmented(gain('x', { decibels: 0 }), floats([1, -0.5], 1, 2), 1)).toEqual(floats([1, -0.5], 1, 2).x)
  })
})

describe('whole numbers', () => {
  it.each([
    [Int8Array.of(-128, 127), -128, 127],
    [Int16Array.of(-32_768, 32_767), -32_768, 32_767],
    [Uint16Array.of(0, 65_535), 0, 65_535],
    [Int32Array.of(-(2 ** 31), 2 ** 31 - 1), -(2 ** 31), 2 ** 31 - 1],
  ])('stay within what %o can hold', (data, least, most) => {
    const louder = Array.from({ length: 20 }, (_, seed) =>
      augmented(gain('x', { decibels: 6 }), { x: { data, shape: [1, 2] } }, seed),
    )
    for (const { data: changed } of louder) {
      expect(changed[0]).toBeLessThanOrEqual(least / 2)
      expect(changed[1]).toBeGreaterThanOrEqual(most / 2)
    }
    expect(louder.some(({ data: changed }) => changed[1] === most)).toBe(true)
  })
})

describe('timeShift', () => {
  it('moves whole rows either way, and lets silence in', () => {
    const row = [1, 2, 3, 4, 5]
    const shifts = new Set<number>()
    for (let seed = 0; seed < 200; seed++) {
      const data = [...augmented(timeShift('x', { most: 7 }), floats(row, 1, 5), seed).data]
      const first = data.findIndex((value) => value !== 0)
      const shift = first < 0 ? Number.NaN : first - (data[first] as number) + 1
      shifts.add(shift)
      if (first >= 0) expect(data).toEqual(row.map((_, i) => row[i - shift] ?? 0))
    }
    // Further away than the row is long, nothing is left.
    expect(shifts).toEqual(new Set([Number.NaN, -4, -3, -2, -1, 0, 1, 2, 3, 4]))
  })

  it('keeps channels together', () => {
    const stereo = floats([1, -1, 2, -2, 3, -3], 1, 3, 2)
    for (let seed = 0; seed < 30; seed++) {
      const data = augmented(timeShift('x', { most: 2 }), stereo, seed).data as Float32Array
      for (let i = 0; i < 6; i += 2) expect(data[i]! + data[i + 1]!).toBe(0)
    }
  })
})

describe('addNoise', () => {
  it('adds noise of the deviation that it is told', () => {
    const data = augmented(addNoise('x', { std: 0.5 }), floats(new Float32Array(20_000).fill(3), 1, 20_000), 2)
      .data as Float32Array
    const mean = data.reduce((sum, value) => sum + value, 0) / data.length
    const deviation = Math.sqrt(data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / data.length)
    // Their standard errors are 0.0035 and 0.0025.
    expect(Math.abs(mean - 3)).toBeLessThan(0.015)
    expect(Math.abs(deviation - 0.5)).toBeLessThan(0.011)
  })
})

describe('one clear error for', () => {
  it.each([
    ['a rate of 0', () => resample('x', { from: 0, to: 8000 }), /from of resample.*at least 1/],
    ['half a hertz', () => resample('x', { from: 8000, to: 0.5 }), /to of resample.*whole number/],
    ['a filter without width', () => resample('x', { from: 2, to: 1, width: 0 }), /width of resample/],
    [
      'rates that share nothing',
      () => resample('x', { from: 65_537, to: 65_539 }),
      /at most 50000 filters.*Round the rates/,
    ],
    ['negative decibels', () => gain('x', { decibels: -1 }), /decibels of gain/],
    ['half a place', () => timeShift('x', { most: 0.5 }), /most of timeShift/],
    ['negative noise', () => addNoise('x', { std: -1 }), /std of addNoise.*from 0/],
    ['no amount of noise', () => addNoise('x', {} as never), /std of addNoise.*received NaN/],
    [
      'pictures instead of sounds',
      () => apply(resample('x', { from: 2, to: 1 }), floats([1], 1, 1, 1)),
      /a sound per row.*\[rows, samples\]/,
    ],
    ['numbers instead of signals', () => apply(timeShift('x', { most: 1 }), floats([1], 1)), /a signal per row/],
  ])('%s', (_, run, message) => {
    expect(run).toThrow(message)
  })

  it.each([resample('x', { from: 2, to: 1 }), gain('x'), timeShift('x', { most: 1 }), addNoise('x', { std: 1 })])(
    '$kind of texts, or of a column that is not there',
    (step) => {
      expect(() => apply(step, { x: { data: ['a'], shape: [1] } })).toThrow(/needs numbers in the column "x"/)
      expect(() => apply(step, { y: floats([1], 1).x! })).toThrow(/column "x"/)
    },
  )

  it('keeps its class', () => {
    expect(() => apply(timeShift('x', { most: 1 }), floats([1], 1))).toThrow(ShapeError)
  })
})
