/** Steps of pictures, against torchvision and PyTorch, and by what must hold of them. */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Random, ShapeError } from '../../../src/core/index.js'
import type { Columns } from '../../../src/data/index.js'
import {
  crop,
  flip,
  normalize,
  type PictureOperation,
  Preprocessor,
  randAugment,
  resize,
  rotate,
  type Step,
} from '../../../src/preprocess/index.js'
import { pictureOperations } from '../../../src/preprocess/picture-operations.js'
import { rotation, warp } from '../../../src/preprocess/pictures.js'

const golden = JSON.parse(readFileSync(new URL('../../golden/torchvision/pictures.json', import.meta.url), 'utf8')) as {
  /** Bytes; the values of the others are shares of 255. */
  pictures: number[][]
  resized: { height: number; width: number; method: string; values: number[][] }[]
  turned: { degrees: number; values: number[][] }[]
  operations: { name: PictureOperation; level: number; sign: 1 | -1; values: number[][] }[]
}
const SIZE = { height: 7, width: 8, channels: 3 }
const bytes: Columns = {
  x: { data: Uint8Array.from(golden.pictures.flat()), shape: [2, 7, 8, 3] },
}
const shares: Columns = {
  x: { data: Float32Array.from(golden.pictures.flat(), (value) => value / 255), shape: [2, 7, 8, 3] },
}
const picture = (row: number) => Float32Array.from(golden.pictures[row]!, (value) => value / 255)

function expectClose(values: ArrayLike<number>, expected: readonly number[], tolerance = 2e-6): void {
  expect(values.length).toBe(expected.length)
  let worst = 0
  expected.forEach((value, i) => {
    worst = Math.max(worst, Math.abs(values[i]! - value))
  })
  expect(worst).toBeLessThanOrEqual(tolerance)
}

const apply = (step: Step, columns: Columns) => new Preprocessor([step]).transformColumns(columns).x!
const augmented = (step: Step, columns: Columns, seed: number) =>
  step.augment!(columns, (row) => new Random(seed, 0, [row, 1])).x!

describe('resize', () => {
  it.each(golden.resized)('to $height x $width, $method, agrees with PyTorch', ({ height, width, method, values }) => {
    const [kind, plain] = method.split(',')
    const step = resize('x', { height, width, method: kind as 'bilinear' | 'nearest', antialias: plain === undefined })
    const made = apply(step, shares)
    expect(made.shape).toEqual([2, height, width, 3])
    expectClose(made.data as Float32Array, values.flat())
    const whole = apply(step, bytes)
    expect(whole.data).toBeInstanceOf(Uint8Array)
    expectClose(
      whole.data as Uint8Array,
      values.flat().map((value) => value * 255),
      0.5 + 1e-4,
    )
  })

  it('leaves the size that is there, and pictures of one value', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        fc.boolean(),
        (height, width, antialias) => {
          expect(apply(resize('x', { height: 7, width: 8, antialias }), shares).data).toEqual(shares.x!.data)
          const flat = { x: { data: new Float32Array(42).fill(0.3), shape: [1, 6, 7] } }
          const { data, shape } = apply(resize('x', { height, width, antialias }), flat)
          expect(shape).toEqual([1, height, width])
          for (const value of data as Float32Array) expect(value).toBeCloseTo(0.3, 6)
        },
      ),
      { numRuns: 40 },
    )
  })
})

describe('crop', () => {
  it('takes the middle, or in training any part, and nothing from outside', () => {
    const numbered = { x: { data: Int32Array.from({ length: 30 }, (_, i) => i), shape: [1, 5, 6] } }
    expect([...apply(crop('x', { height: 1, width: 2 }), numbered).data]).toEqual([14, 15])
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 6 }), fc.nat(), (height, width, seed) => {
        const { data, shape } = augmented(crop('x', { height, width, at: 'random' }), numbered, seed)
        expect(shape).toEqual([1, height, width])
        const corner = data[0] as number
        const expected = Array.from(
          { length: height * width },
          (_, i) => corner + 6 * Math.floor(i / width) + (i % width),
        )
        expect([...data]).toEqual(expected)
        expect((corner % 6) + width).toBeLessThanOrEqual(6)
      }),
      { numRuns: 60 },
    )
  })

  it('reaches over the edge by the padding', () => {
    const one = { x: { data: Float32Array.of(5), shape: [1, 1, 1] } }
    const seen = new Set<string>()
    const step = crop('x', { height: 1, width: 1, at: 'random', padding: 1, fill: 9 })
    for (let seed = 0; seed < 60; seed++) seen.add([...augmented(step, one, seed).data].join())
    expect(seen).toEqual(new Set(['5', '9']))
    expect([...apply(step, one).data]).toEqual([5])
    const padded = apply(crop('x', { height: 3, width: 3, padding: 1, fill: 9 }), one)
    expect([...padded.data]).toEqual([9, 9, 9, 9, 5, 9, 9, 9, 9])
  })
})

describe('flip', () => {
  it('done twice gives the picture back, and once it is a mirror', () => {
    for (const axis of ['horizontal', 'vertical', 'both'] as const) {
      const step = flip('x', { axis, probability: 1 })
      const once = augmented(step, bytes, 1)
      expect(once.data).not.toEqual(bytes.x!.data)
      expect(augmented(step, { x: once }, 2)).toEqual(bytes.x)
    }
    const pair = { x: { data: Float32Array.of(1, 2, 3, 4), shape: [1, 2, 2] } }
    expect([...augmented(flip('x', { probability: 1 }), pair, 0).data]).toEqual([2, 1, 4, 3])
    expect([...augmented(flip('x', { axis: 'vertical', probability: 1 }), pair, 0).data]).toEqual([3, 4, 1, 2])
  })

  it('flips the share that it is told', () => {
    const rows = 4000
    const many = { x: { data: Float32Array.from({ length: rows * 2 }, (_, i) => i % 2), shape: [rows, 1, 2] } }
    const { data } = augmented(flip('x', { probability: 0.25 }), many, 3)
    const flipped = (data as Float32Array).filter((value, i) => i % 2 === 0 && value === 1).length
    // 1000 expected; the standard deviation is 27.
    expect(Math.abs(flipped - 1000)).toBeLessThan(120)
  })
})

describe('rotate', () => {
  it.each(golden.turned)('by $degrees degrees agrees with torchvision', ({ degrees, values }) => {
    for (const row of [0, 1]) expectClose(warp(picture(row), SIZE, rotation(degrees), 0), values[row]!)
  })

  it('draws angles either way up to the most, and fills the corners', () => {
    const white = { x: { data: new Float32Array(81).fill(1), shape: [1, 9, 9] } }
    expect(augmented(rotate('x', { degrees: 0 }), shares, 1)).toEqual(shares.x)
    const turned = augmented(rotate('x', { degrees: 45, fill: 1 }), white, 5)
    for (const value of turned.data as Float32Array) expect(value).toBeCloseTo(1, 6)
    const dark = augmented(rotate('x', { degrees: 45 }), white, 5).data as Float32Array
    expect(dark[0]).toBeLessThan(0.5)
    expect(dark[40]).toBe(1)
  })
})

describe('randAugment', () => {
  it.each(golden.operations)('$name at $level, $sign, agrees with torchvision', ({ name, level, sign, values }) => {
    for (const row of [0, 1]) {
      const made = pictureOperations[name]({ ...SIZE, values: picture(row), white: 1, fill: 0 }, level / 30, sign)
      expectClose(made, values[row]!)
      // Bytes mean the same as shares of white.
      const light = Float32Array.from(golden.pictures[row]!)
      const whole = pictureOperations[name]({ ...SIZE, values: light, white: 255, fill: 0 }, level / 30, sign)
      expectClose(
        whole,
        values[row]!.map((value) => value * 255),
        1e-3,
      )
    }
  })

  it('covers all of the paper', () => {
    expect(new Set(golden.operations.map(({ name }) => name))).toEqual(new Set(Object.keys(pictureOperations)))
  })

  it('keeps shapes, kinds and range, and does nothing with nothing to do', () => {
    expect(augmented(randAugment('x', { count: 0 }), bytes, 1)).toEqual(bytes.x)
    for (let seed = 0; seed < 40; seed++) {
      const { data, shape } = augmented(randAugment('x', { count: 3, magnitude: 30 }), shares, seed)
      expect(shape).toEqual([2, 7, 8, 3])
      for (const value of data as Float32Array) expect(value >= 0 && value <= 1).toBe(true)
    }
    const grey = { x: { data: bytes.x!.data.slice(0, 56) as Uint8Array, shape: [1, 7, 8] } }
    expect(augmented(randAugment('x'), grey, 7).data).toBeInstanceOf(Uint8Array)
  })
})

describe('normalize', () => {
  it('takes each channel by its own mean and deviation, and back', () => {
    const columns = { x: { data: Uint8Array.of(10, 20, 30, 40), shape: [1, 2, 2] } }
    const preprocessor = new Preprocessor([normalize('x', { mean: [10, 0], std: [5, 10] })])
    const { data } = preprocessor.transformColumns(columns).x!
    expect([...data]).toEqual([0, 2, 4, 4])
    expect(preprocessor.inverse({ x: data })).toEqual({ x: Float32Array.of(10, 20, 30, 40) })
    expect([...apply(normalize('x', { mean: 10, std: 2 }), columns).data]).toEqual([0, 5, 10, 15])
  })
})

describe('one clear error for', () => {
  const flat = { x: { data: new Float32Array(4), shape: [4] } }
  const text = { x: { data: ['a'], shape: [1] } }
  const steps = [
    resize('x', { height: 2, width: 2 }),
    crop('x', { height: 2, width: 2 }),
    flip('x'),
    rotate('x'),
    randAugment('x'),
  ]
  it.each(steps)('$kind of what is no picture', (step) => {
    expect(() => apply(step, flat)).toThrow(ShapeError)
    expect(() => apply(step, flat)).toThrow(/a picture per row in the column "x".*\[rows, height, width\]/)
    expect(() => apply(step, text)).toThrow(/needs numbers in the column "x"/)
    expect(() => new Preprocessor([step]).transformColumns({ y: flat.x })).toThrow(/needs the column "x"/)
    if (step.augment) expect(() => augmented(step, flat, 1)).toThrow(/a picture per row/)
  })

  it.each([
    ['no height', () => resize('x', { height: 0, width: 4 }), /height of resize.*at least 1.*received 0/],
    ['half a pixel', () => crop('x', { height: 2, width: 1.5 }), /width of crop/],
    [
      'an unknown method',
      () => resize('x', { height: 1, width: 1, method: 'cubic' as never }),
      /"bilinear" or "nearest".*cubic/,
    ],
    ['an unknown place', () => crop('x', { height: 1, width: 1, at: 'left' as never }), /"center" or "random"/],
    ['a negative padding', () => crop('x', { height: 1, width: 1, padding: -1 }), /padding of crop/],
    ['an unknown axis', () => flip('x', { axis: 'diagonal' as never }), /axis of flip/],
    ['a probability of 2', () => flip('x', { probability: 2 }), /from 0 to 1.*received 2/],
    ['more than half a turn', () => rotate('x', { degrees: 181 }), /from 0 to 180/],
    ['a magnitude of 31', () => randAugment('x', { magnitude: 31 }), /from 0 to 30/],
    ['an unknown operation', () => randAugment('x', { operations: ['blur' as never] }), /"equalize".*blur/],
    ['no operation', () => randAugment('x', { operations: [] }), /operations of randAugment/],
    ['a deviation of 0', () => normalize('x', { mean: 0, std: 0 }), /no std of 0/],
    ['two means and three deviations', () => normalize('x', { mean: [0, 1], std: [1, 2, 3] }), /one per channel/],
    [
      'a part larger than the picture',
      () => apply(crop('x', { height: 8, width: 8 }), bytes),
      /too small for crop.*Put resize/,
    ],
    [
      'other channels',
      () => apply(normalize('x', { mean: [0, 1], std: 1 }), bytes),
      /other channels.*\[rows, ..., 2\]/,
    ],
  ])('%s', (_, run, message) => {
    expect(run).toThrow(message)
  })
})
