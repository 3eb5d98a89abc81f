import { describe, expect, expectTypeOf, it } from 'vitest'
import { ConfigError, Random } from '../../../src/core/index.js'
import {
  choice,
  conditional,
  intUniform,
  logUniform,
  type ParamsOf,
  Space,
  type SpaceDefinition,
  uniform,
} from '../../../src/tuning/index.js'

const definition = {
  rate: logUniform(1e-4, 1e-1),
  dropout: uniform(0, 0.5, { step: 0.1 }),
  layers: intUniform(1, 4),
  units: intUniform(8, 512, { log: true }),
  width: intUniform(10, 30, { step: 5 }),
  optimizer: choice(['sgd', 'adam']),
  momentum: conditional('optimizer', 'sgd', uniform(0, 0.99)),
  nesterov: conditional('optimizer', 'sgd', choice([true, false])),
  beta: conditional('nesterov', true, uniform(1, 2)),
  shape: choice([[32], [32, 16], { deep: true }]),
} as const

describe('Space', () => {
  it('decodes every point to values that it holds, and back to the same values', () => {
    const space = new Space(definition)
    const random = new Random(1)
    for (let i = 0; i < 2000; i++) {
      const params = space.decode(() => random.uniform())
      for (const axis of space.axes) if (axis.name in params) expect(axis.holds(params[axis.name])).toBe(true)
      const units = space.encode(params)
      const again = space.decode((_, index) => units[index]!)
      expect(Object.keys(again)).toEqual(Object.keys(params))
      for (const [name, value] of Object.entries(params))
        if (typeof value === 'number') expect(again[name]).toBeCloseTo(value, 10)
        else expect(again[name]).toEqual(value)
      expect('momentum' in params).toBe(params.optimizer === 'sgd')
      expect('beta' in params).toBe(params.nesterov === true)
    }
  })

  it('reaches both ends, and gives each value that is apart its share', () => {
    const space = new Space(definition)
    const random = new Random(2)
    const counts = new Map<string, number>()
    for (let i = 0; i < 4000; i++) {
      const { dropout, layers, width } = space.decode(() => random.uniform())
      for (const key of [`dropout ${dropout}`, `layers ${layers}`, `width ${width}`])
        counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    const shares = Object.fromEntries([...counts].map(([key, count]) => [key, count / 4000]))
    for (const dropout of [0, 0.1, 0.2, 0.3, 0.4, 0.5]) expect(shares[`dropout ${dropout}`]).toBeCloseTo(1 / 6, 1)
    for (const layers of [1, 2, 3, 4]) expect(shares[`layers ${layers}`]).toBeCloseTo(1 / 4, 1)
    for (const width of [10, 15, 20, 25, 30]) expect(shares[`width ${width}`]).toBeCloseTo(1 / 5, 1)
    expect(counts.size).toBe(6 + 4 + 5)
    const units = space.axes.find(({ name }) => name === 'units')!
    expect([units.fromUnit(0), units.fromUnit(1)]).toEqual([8, 512])
    // As many between 8 and 64 as between 64 and 512.
    expect(units.toUnit(64)).toBeCloseTo(0.5, 1)
  })

  it('types the parameters by the space', () => {
    type Values = ParamsOf<typeof definition>
    expectTypeOf<Values['rate']>().toEqualTypeOf<number>()
    expectTypeOf<Values['optimizer']>().toEqualTypeOf<'sgd' | 'adam'>()
    expectTypeOf<Values['momentum']>().toEqualTypeOf<number | undefined>()
    expectTypeOf<Values['nesterov']>().toEqualTypeOf<boolean | undefined>()
  })

  it.each<[name: string, make: () => unknown, message: RegExp]>([
    ['bounds the wrong way round', () => uniform(2, 1), /bounds of uniform.*received \[2, 1\]/i],
    ['bounds that are equal', () => uniform(1, 1), /Leave a value that never changes out/],
    ['a bound that is no number', () => uniform(0, Number.NaN), /bounds of uniform/],
    ['no logarithm', () => logUniform(0, 1), /no logarithm.*received 0/i],
    ['a fraction as whole number', () => intUniform(0.5, 3), /low of intUniform is not a whole number/],
    ['a step larger than the range', () => uniform(0, 1, { step: 2 }), /step of uniform.*received 2/i],
    ['a step of nothing', () => intUniform(0, 4, { step: 0 }), /step of intUniform/],
    ['a logarithm with steps', () => intUniform(1, 9, { log: true, step: 2 }), /logarithmic intUniform has step 1/],
    ['nothing to choose from', () => choice([]), /needs values to choose from/],
    ['a value twice', () => choice(['a', 'a']), /holds a value twice/],
    ['a value that cannot be stored', () => choice([Number.NaN]), /cannot be stored.*NaN/],
    ['an empty space', () => new Space({}), /search space is empty/],
    ['a condition on nothing', () => spaceWith('optimiser', 'sgd'), /Did you mean 'optimizer'\?/],
    ['a condition that never holds', () => spaceWith('optimizer', 'lamb'), /can never hold.*received lamb/i],
    [
      'conditions in a circle',
      () => new Space({ a: conditional('b', 1, choice([1, 2])), b: conditional('a', 1, choice([1, 2])) }),
      /round in a circle.*a on b on a/,
    ],
    [
      'a value instead of a parameter',
      () => new Space({ rate: 0.1 } as unknown as SpaceDefinition),
      /'rate' of the search space is not a parameter/,
    ],
    [
      'constraints that refuse everything',
      () => {
        const space = new Space({ x: uniform(0, 1) }, [() => false])
        space.draw(() => space.decode(() => 0.5))
      },
      /refused 1000 combinations in a row/,
    ],
  ])('refuses %s', (_, make, message) => {
    expect(make).toThrow(message)
    expect(make).toThrow(ConfigError)
  })
})

const spaceWith = (on: string, value: string) =>
  new Space({ optimizer: choice(['sgd', 'adam']), momentum: conditional(on, value, uniform(0, 1)) })
