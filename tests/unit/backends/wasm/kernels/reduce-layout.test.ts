import { describe, expect, it } from 'vitest'
import { reduceCodes } from '../../../../../src/backends/wasm/exports.js'
import { openArena, seeded, worstError } from './arena.js'

const arena = await openArena()
const sizes = [
  [1, 1, 1],
  [3, 37, 1],
  [2, 5, 7],
  [4, 9, 8],
  [2, 41, 71],
  [0, 3, 2],
  [2, 0, 3],
] as const

describe.each(sizes)('reductions of [%i, %i, %i]', (outer, size, inner) => {
  const values = seeded(outer * 100 + size * 10 + inner).floats(outer * size * inner, 1.5)
  const count = outer * inner
  const groups = Array.from({ length: count }, (_, i) =>
    Array.from({ length: size }, (_, s) => values[(Math.floor(i / inner) * size + s) * inner + (i % inner)]!),
  )

  it.each([
    ['sum', (g: number[]) => g.reduce((a, b) => a + b, 0)],
    ['mean', (g: number[]) => g.reduce((a, b) => a + b, 0) / g.length],
    ['max', (g: number[]) => Math.max(...g)],
    ['min', (g: number[]) => Math.min(...g)],
    ['prod', (g: number[]) => g.reduce((a, b) => a * b, 1)],
  ] as const)('%s', (name, reference) => {
    arena.reset()
    const out = arena.room(count)
    arena.wasm.reduce(reduceCodes[name], arena.floats(values), out, outer, size, inner)
    const actual = arena.readFloats(out, count)
    groups.forEach((group, i) => {
      const expected = reference(group)
      if (Number.isFinite(expected)) expect(worstError([actual[i]!], [expected])).toBeLessThan(3e-6)
      else expect(actual[i]).toBe(expected)
    })
  })

  it('arguments of extremes, any and all, int32 sums', () => {
    arena.reset()
    const out = arena.room(count)
    const rounded = values.map((x) => Math.round(x) + 0)
    const roundedGroups = groups.map((group) => group.map((x) => Math.round(x)))
    const at = arena.floats(rounded)
    arena.wasm.argExtreme(0, at, out, outer, size, inner)
    const first = roundedGroups.map((group) => Math.max(0, group.indexOf(Math.max(...group) + 0)))
    expect([...arena.readInts(out, count)]).toEqual(first)
    const ints = arena.ints(rounded)
    arena.wasm.reduceInt(reduceCodes.sum, ints, out, outer, size, inner)
    expect([...arena.readInts(out, count)]).toEqual(roundedGroups.map((group) => group.reduce((a, b) => a + b, 0) + 0))
    const bytes = arena.bytes(rounded.map((x) => (x > 0 ? 1 : 0)))
    arena.wasm.reduceBool(1, bytes, out, outer, size, inner)
    expect([...arena.readBytes(out, count)]).toEqual(roundedGroups.map((group) => (group.every((x) => x > 0) ? 1 : 0)))
    arena.wasm.reduceBool(0, bytes, out, outer, size, inner)
    expect([...arena.readBytes(out, count)]).toEqual(roundedGroups.map((group) => (group.some((x) => x > 0) ? 1 : 0)))
  })
})

it.each([1, 4, 10, 33])('softmax and its logarithm over %i classes', (size) => {
  arena.reset()
  const values = seeded(size).floats(3 * size, 40)
  const out = arena.room(3 * size)
  const expected = [0, 1, 2].flatMap((r) => {
    const row = [...values.subarray(r * size, (r + 1) * size)]
    const largest = Math.max(...row)
    const sum = row.reduce((total, x) => total + Math.exp(x - largest), 0)
    return row.map((x) => x - largest - Math.log(sum))
  })
  arena.wasm.softmax(1, arena.floats(values), out, 3, size)
  expect(worstError(arena.readFloats(out, 3 * size), expected)).toBeLessThan(1e-6)
  arena.wasm.softmax(0, arena.floats(values), out, 3, size)
  expect(worstError(arena.readFloats(out, 3 * size), expected.map(Math.exp))).toBeLessThan(1e-6)
})

describe('layout', () => {
  it('permutes, reverses and scatters', () => {
    arena.reset()
    const out = arena.room(24)
    const x = arena.ints(Array.from({ length: 24 }, (_, i) => i))
    // [2, 3, 4] with axes 2, 0, 1.
    arena.wasm.transpose(x, out, 4, arena.ints([1, 1, 1, 4, 2, 3, 0, 0, 0, 1, 12, 4]))
    const permuted = [...arena.readInts(out, 24)]
    expect(permuted).toEqual(
      Array.from({ length: 24 }, (_, i) => Math.floor(i / 6) + Math.floor((i % 6) / 3) * 12 + (i % 3) * 4),
    )
    arena.wasm.stridedCopy(x + 5 * 4, out, 4, arena.ints([1, 1, 1, 1, 1, 3, 0, 0, 0, 0, 0, -2]))
    expect([...arena.readInts(out, 3)]).toEqual([5, 3, 1])
    arena.wasm.fill(1, out, 6, 0)
    arena.wasm.stridedStore(arena.ints([7, 8, 9]), out, 4, arena.ints([1, 1, 1, 1, 1, 3, 0, 0, 0, 0, 0, 2]))
    expect([...arena.readInts(out, 6)]).toEqual([7, 0, 8, 0, 9, 0])
    arena.wasm.copyRows(x, out, 2, 8, 16, 12)
    expect([...arena.readInts(out, 5)]).toEqual([0, 1, 8, 4, 5])
  })

  it('pads, gathers, sums segments, encodes one-hot', () => {
    arena.reset()
    const out = arena.room(20)
    const x = arena.floats([1, 2, 3, 4, 5, 6])
    arena.wasm.pad(x, out, -1, arena.ints([1, 1, 1, 1, 2, 3, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2]))
    expect([...arena.readFloats(out, 15)]).toEqual([-1, -1, -1, -1, -1, 1, 2, 3, -1, -1, 4, 5, 6, -1, -1])
    expect(arena.wasm.gather(x, arena.ints([2, 0, 3]), out, 1, 3, 3, 8)).toBe(1)
    expect([...arena.readFloats(out, 6)]).toEqual([5, 6, 1, 2, 0, 0])
    arena.wasm.segmentSum(x, arena.ints([1, 1, -1]), out, 3, 2, 3)
    expect([...arena.readFloats(out, 6)]).toEqual([0, 0, 4, 6, 0, 0])
    arena.wasm.oneHot(arena.ints([2, 0, 5]), out, 3, 3, 9, 1)
    expect([...arena.readFloats(out, 9)]).toEqual([1, 1, 9, 9, 1, 1, 1, 1, 1])
  })
})
