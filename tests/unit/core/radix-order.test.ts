import { expect, it } from 'vitest'
import { ascending, Random, sortedNumbers } from '../../../src/core/index.js'

it.each([0, 1, 100, 5000, 70_000])('sorts %i values as a stable sort by comparison does', (length) => {
  const random = new Random(3, length)
  // Few distinct values, so that ties must keep their order, of both signs and many magnitudes.
  const values = Float64Array.from({ length }, () => {
    const size = 10 ** Math.floor(random.uniform() * 12 - 6)
    return (Math.round(random.uniform() * 40) - 20) * size
  })
  if (length > 2) values.set([Infinity, -Infinity, -0])
  const expected = Array.from(values.keys()).sort((a, b) => values[a]! - values[b]! || a - b)
  // 0 and -0 are equal for a comparison and neighbours for the radix.
  const byValue = (order: ArrayLike<number>) => Array.from(order, (position) => values[position]! + 0)
  const { order, sorted } = ascending(values)
  expect(sorted).toEqual(Float64Array.from(order, (position) => values[position]!))
  expect(byValue(order)).toEqual(byValue(expected))
  const wherePositive = (list: ArrayLike<number>) => Array.from(list).filter((position) => values[position]! > 0)
  expect(wherePositive(order)).toEqual(wherePositive(expected))
})

it.each([0, 1, 100, 5000, 70_000])('sorts %i numbers without their positions, float32 and float64 alike', (length) => {
  const random = new Random(4, length)
  const wide = Float64Array.from({ length }, () => random.normal() * 10 ** Math.floor(random.uniform() * 12 - 6))
  if (length > 2) wide.set([Infinity, -Infinity, -0])
  for (const values of [wide, new Float64Array(new Float32Array(wide))]) {
    const before = values.slice()
    expect(sortedNumbers(values)).toEqual(values.slice().sort())
    expect(values).toEqual(before)
  }
})
