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
  it('permutes, reverses and copies rows', () => {
    arena.reset()
    const out = arena.room(24)
    const x = arena.ints(Array.from({ length: 24 }, (_, i) => i))
    // [2, 3, 4] with axes 2, 0, 1.
    arena.wasm.stridedCopy(x, out, 4, arena.ints([1, 1, 1, 4, 2, 3, 0, 0, 0, 1, 12, 4]))
    const permuted = [...arena.readInts(out, 24)]
    expect(permuted).toEqual(
      Array.from({ length: 24 }, (_, i) => Math.floor(i / 6) + Math.floor((i % 6) / 3) * 12 + (i % 3) * 4),
    )
    arena.wasm.stridedCopy(x + 5 * 4, out, 4, arena.ints([1, 1, 1, 1, 1, 3, 0, 0, 0, 0, 0, -2]))
    expect([...arena.readInts(out, 3)]).toEqual([5, 3, 1])
    arena.wasm.fill(1, out, 6, 9)
    arena.wasm.copyRows(x, out, 2, 8, 16, 12)
    expect([...arena.readInts(out, 5)]).toEqual([0, 1, 9, 4, 5])
  })

  it('pads, gathers, sums segments, encodes one-hot', () => {
    arena.reset()
    const out = arena.room(20)
    const x = arena.floats([1, 2, 3, 4, 5, 6])
    arena.wasm.pad(x, out, -1, arena.ints([1, 1, 1, 1, 2, 3, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2]))
    expect([...arena.readFloats(out, 15)]).toEqual([-1, -1, -1, -1, -1, 1, 2, 3, -1, -1, 4, 5, 6, -1, -1])
    const outside = arena.wasm.gather(x, arena.ints([2, 0, 3]), out, 1, 3, 3, 8)
    // A GPU is not asked, for that would mean to wait for it.
    expect(outside).toBe(arena.backend === 'wasm' ? 1 : 0)
    expect([...arena.readFloats(out, 6)]).toEqual([5, 6, 1, 2, 0, 0])
    arena.wasm.segmentSum(x, arena.ints([1, 1, -1]), out, 3, 2, 3)
    expect([...arena.readFloats(out, 6)]).toEqual([0, 0, 4, 6, 0, 0])
    arena.wasm.oneHot(arena.ints([2, 0, 5]), out, 3, 3, 9, 1)
    expect([...arena.readFloats(out, 9)]).toEqual([1, 1, 9, 9, 1, 1, 1, 1, 1])
  })
})

it.each([
  [3000, 70_000, 3],
  [3000, 250, 33],
  [5000, 4, 1],
  [1025, 3, 300],
  [64, 1, 2],
])('sums %i rows into %i segments of %i', (rows, segments, inner) => {
  arena.reset()
  const random = seeded(rows + segments)
  // Half of them of one segment, as padding is, and some outside.
  const ids = Int32Array.from({ length: rows }, () =>
    random.integer(0, 1) === 0 ? segments >> 1 : random.integer(-1, segments),
  )
  const x = Float32Array.from({ length: rows * inner }, () => random.integer(-9, 9))
  const expected = new Float32Array(segments * inner)
  ids.forEach((id, row) => {
    if (id < 0 || id >= segments) return
    for (let c = 0; c < inner; c++) expected[id * inner + c]! += x[row * inner + c]!
  })
  const out = arena.room(segments * inner + 1)
  arena.wasm.segmentSum(arena.floats(x), arena.ints(ids), out, rows, inner, segments)
  const actual = arena.readFloats(out, segments * inner + 1)
  expect(worstError(actual.subarray(0, -1), expected)).toBe(0)
  expect(actual.at(-1)).toBeNaN()
})

describe('strided copies against element by element', () => {
  const random = seeded(77)

  /** The box of `lengths` with element strides `strides`, from element `first` on. */
  function copied(values: ArrayLike<number>, lengths: number[], strides: number[], first: number): number[] {
    let places = [first]
    lengths.forEach((length, axis) => {
      places = places.flatMap((place) => Array.from({ length }, (_, i) => place + i * strides[axis]!))
    })
    return places.map((place) => values[place]!)
  }

  it.each(Array.from({ length: 60 }, (_, i) => [i]))('box %i', (round) => {
    arena.reset()
    const rank = random.integer(1, 6)
    const lengths = Array.from({ length: rank }, () => random.integer(1, rank > 4 ? 6 : rank > 2 ? 14 : 150))
    const strides = new Array<number>(rank)
    let size = 1
    for (let axis = rank - 1; axis >= 0; axis--) {
      strides[axis] = size
      size *= lengths[axis]!
    }
    // In another order of axes, and every third time with an axis that goes backwards or stands still.
    const order = lengths.map((_, axis) => axis).sort(() => random.uniform() - 0.5)
    const shape = order.map((axis) => lengths[axis]!)
    const steps = order.map((axis) => strides[axis]!)
    let first = 0
    if (round % 3 === 0) {
      const axis = random.integer(0, rank - 1)
      if (round % 2 === 0) steps[axis] = 0
      else {
        first = (shape[axis]! - 1) * steps[axis]!
        steps[axis] = -steps[axis]!
      }
    }
    const blank = new Array<number>(6 - rank)
    const info = arena.ints([...blank.fill(1), ...shape, ...blank.fill(0), ...steps])
    const values = Int32Array.from({ length: size }, (_, i) => i + 1)
    const out = arena.room(size + 1)
    arena.wasm.stridedCopy(arena.ints(values) + first * 4, out, 4, info)
    expect([...arena.readInts(out, size)]).toEqual(copied(values, shape, steps, first))
    expect(arena.readFloats(out, size + 1)[size]).toBeNaN()
    const bytes = values.map((value) => value % 251)
    arena.wasm.stridedCopy(arena.bytes(bytes) + first, out, 1, info)
    expect([...arena.readBytes(out, size)]).toEqual(copied(bytes, shape, steps, first))
  })
})

it.each([1, 3, 4, 5, 17, 31, 64, 130])('moves rows of %i floats', (width) => {
  arena.reset()
  const [rows, count] = [9, 5]
  const x = seeded(width).floats(rows * width)
  const out = arena.room(count * width + 1)
  const indices = [8, 0, 3, 3, 7]
  const at = arena.floats(x)
  expect(arena.wasm.gather(at, arena.ints(indices), out, 1, rows, count, width * 4)).toBe(0)
  const rowOf = (row: number) => [...x.subarray(row * width, (row + 1) * width)]
  expect([...arena.readFloats(out, count * width)]).toEqual(indices.flatMap(rowOf))
  arena.wasm.copyRows(at, out, count, width * 4, width * 8, width * 4)
  expect([...arena.readFloats(out, count * width)]).toEqual([0, 2, 4, 6, 8].flatMap(rowOf))
  expect(arena.readFloats(out, count * width + 1)[count * width]).toBeNaN()
})
