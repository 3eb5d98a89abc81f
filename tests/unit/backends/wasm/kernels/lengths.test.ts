/** Element-wise kernels at lengths around the widths in which they go: what they write, and what lies behind it. */

import { describe, expect, it } from 'vitest'
import { binaryCodes, compareCodes } from '../../../../../src/backends/wasm/exports.js'
import { openArena, seeded, worstError } from './arena.js'

const arena = await openArena()
const lengths = [0, 1, 2, 3, 4, 5, 7, 8, 9, 11, 15, 16, 17, 31, 33, 100]

const relations: Record<keyof typeof compareCodes, (a: number, b: number) => boolean> = {
  equal: (a, b) => a === b,
  notEqual: (a, b) => a !== b,
  less: (a, b) => a < b,
  lessEqual: (a, b) => a <= b,
  greater: (a, b) => a > b,
  greaterEqual: (a, b) => a >= b,
  logicalAnd: (a, b) => a !== 0 && b !== 0,
  logicalOr: (a, b) => a !== 0 || b !== 0,
  logicalXor: (a, b) => (a !== 0) !== (b !== 0),
}
/** Rows, then [row stride, step] of both operands. */
const forms = (n: number) =>
  [
    [1, 0, 1, 0, 1],
    [1, 0, 1, 0, 0],
    [1, 0, 0, 0, 1],
    [3, n, 1, 0, 1],
    [3, n, 1, 1, 0],
    [3, 0, 0, n, 1],
  ] as const

describe.each(lengths)('%i elements', (n) => {
  const random = seeded(n + 1)
  // Few values, so that many are equal.
  const numbers = Array.from({ length: 3 * n + 3 }, () => random.integer(-2, 2))
  const others = Array.from({ length: 3 * n + 3 }, () => random.integer(-2, 2))

  it('compares', () => {
    for (const [name, relation] of Object.entries(relations))
      for (const dtype of name.startsWith('logical') ? [2] : [0, 1, 2])
        for (const [rows, rowA, stepA, rowB, stepB] of forms(n)) {
          arena.reset()
          const put = dtype === 0 ? arena.floats : dtype === 1 ? arena.ints : arena.bytes
          const [a, b] = dtype === 2 ? [numbers.map(Math.abs), others.map(Math.abs)] : [numbers.slice(), others.slice()]
          if (dtype === 0) a[1] = Number.NaN
          const [atA, atB, out] = [put(a), put(b), arena.room(n + 1)]
          const code = compareCodes[name as keyof typeof compareCodes]
          arena.wasm.compare(code, dtype, atA, atB, out, rows, n, rowA, stepA, rowB, stepB)
          const expected = Array.from({ length: rows * n }, (_, i) => {
            const [r, c] = [Math.floor(i / n), i % n]
            return relation(a[r * rowA + c * stepA]!, b[r * rowB + c * stepB]!) ? 1 : 0
          })
          expect([...arena.readBytes(out, rows * n)], `${name} ${dtype}`).toEqual(expected)
        }
  })

  it('adds rows, and stops where they end', () => {
    for (const [rows, rowA, stepA, rowB, stepB] of forms(n)) {
      arena.reset()
      const out = arena.room(rows * n + 1)
      arena.wasm.binary(
        binaryCodes.sub,
        0,
        arena.floats(numbers),
        arena.floats(others),
        out,
        rows,
        n,
        rowA,
        stepA,
        rowB,
        stepB,
      )
      const expected = Array.from({ length: rows * n }, (_, i) => {
        const [r, c] = [Math.floor(i / n), i % n]
        return numbers[r * rowA + c * stepA]! - others[r * rowB + c * stepB]!
      })
      const actual = arena.readFloats(out, rows * n + 1)
      expect([...actual.subarray(0, rows * n)]).toEqual(expected)
      expect(actual[rows * n]).toBeNaN()
    }
  })

  it('chooses and converts', () => {
    arena.reset()
    const [a, b, out] = [arena.ints(numbers), arena.ints(others), arena.room(n + 1)]
    const bits = numbers.map((x) => (x > 0 ? 1 : 0))
    arena.wasm.select(arena.bytes(bits), a, b, out, n, 1, 4)
    expect([...arena.readInts(out, n)]).toEqual(numbers.slice(0, n).map((x, i) => (x > 0 ? x : others[i]!)))
    arena.wasm.cast(1, 0, a, out, n)
    expect([...arena.readFloats(out, n)]).toEqual(numbers.slice(0, n))
    arena.wasm.cast(1, 2, a, out, n)
    expect([...arena.readBytes(out, n)]).toEqual(numbers.slice(0, n).map((x) => (x === 0 ? 0 : 1)))
    const fractions = numbers.map((x) => x * 1.25)
    arena.wasm.cast(0, 1, arena.floats(fractions), out, n)
    expect([...arena.readInts(out, n)]).toEqual(fractions.slice(0, n).map((x) => Math.trunc(x) + 0))
    arena.wasm.logicalNot(arena.bytes(bits), out, n)
    expect([...arena.readBytes(out, n)]).toEqual(bits.slice(0, n).map((x) => 1 - x))
    expect(arena.readFloats(out, n + 1)[n]).toBeNaN()
  })

  it.each([2, 1, -1, 3, 0.5, 0, 1.7])('raises to %d', (exponent) => {
    arena.reset()
    const bases = [...others, Number.NaN, -Infinity, Infinity, -0]
    const out = arena.room(bases.length)
    const scalar = arena.floats([exponent])
    arena.wasm.binary(binaryCodes.pow, 0, arena.floats(bases), scalar, out, 1, bases.length, 0, 1, 0, 0)
    const actual = arena.readFloats(out, bases.length)
    bases.forEach((base, i) => {
      const expected = Math.fround(base ** Math.fround(exponent))
      if (Number.isFinite(expected)) expect(worstError([actual[i]!], [expected])).toBeLessThan(2e-7)
      else expect(actual[i], `${base}`).toBe(expected)
    })
  })

  it('finds extremes', () => {
    if (n === 0) return
    arena.reset()
    const rows = [numbers.slice(0, n), others.slice(0, n), [Number.NaN, ...numbers.slice(1, n)]]
    if (n > 2) rows[0]![2] = Number.NaN
    const at = arena.floats(rows.flat())
    const out = arena.room(3)
    const firstOf = (row: number[], isBetter: (x: number, best: number) => boolean) =>
      row.reduce((best, x, i) => (isBetter(x, row[best]!) ? i : best), 0)
    arena.wasm.argExtreme(0, at, out, 3, n, 1)
    expect([...arena.readInts(out, 3)]).toEqual(rows.map((row) => firstOf(row, (x, best) => x > best)))
    arena.wasm.argExtreme(1, at, out, 3, n, 1)
    expect([...arena.readInts(out, 3)]).toEqual(rows.map((row) => firstOf(row, (x, best) => x < best)))
  })
})
