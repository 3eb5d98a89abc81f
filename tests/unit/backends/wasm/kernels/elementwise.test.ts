import { describe, expect, it } from 'vitest'
import { binaryCodes, classifyCodes, compareCodes, unaryCodes } from '../../../../../src/backends/wasm/exports.js'
import { openArena, seeded, worstError } from './arena.js'

const arena = await openArena()
const evenRound = (x: number) => {
  const floor = Math.floor(x)
  const rest = x - floor
  return rest < 0.5 || (rest === 0.5 && floor % 2 === 0) ? floor : floor + 1
}
const elu = (x: number) => (x >= 0 ? x : Math.expm1(x))
const clip = (x: number, from: number, to: number) => Math.min(to, Math.max(from, x))

/** With alpha 0.25 and beta 0.5. */
/** erf, gelu and geluTanh: see accuracy.test.ts. */
const unary: Record<Exclude<keyof typeof unaryCodes, 'erf' | 'gelu' | 'geluTanh'>, (x: number) => number> = {
  neg: (x) => -x,
  abs: Math.abs,
  square: (x) => x * x,
  sqrt: Math.sqrt,
  rsqrt: (x) => 1 / Math.sqrt(x),
  reciprocal: (x) => 1 / x,
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  sigmoid: (x) => 1 / (1 + Math.exp(-x)),
  tanh: Math.tanh,
  relu: (x) => Math.max(0, x),
  relu6: (x) => clip(x, 0, 6),
  leakyRelu: (x) => (x >= 0 ? x : 0.25 * x),
  elu,
  selu: (x) => 1.0507009873554805 * (x >= 0 ? x : 1.6732632423543772 * Math.expm1(x)),
  softplus: (x) => Math.log1p(Math.exp(x)),
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  floor: Math.floor,
  ceil: Math.ceil,
  round: evenRound,
  sign: Math.sign,
  step: (x) => (x > 0 ? 1 : 0.25),
  clip: (x) => clip(x, 0.25, 0.5),
  sinh: Math.sinh,
  cosh: Math.cosh,
  asin: Math.asin,
  acos: Math.acos,
  atan: Math.atan,
  asinh: Math.asinh,
  acosh: Math.acosh,
  atanh: Math.atanh,
  affine: (x) => 0.25 * x + 0.5,
}
const positive = new Set(['sqrt', 'rsqrt', 'log', 'log1p', 'acosh'])
const small = new Set(['asin', 'acos', 'atanh'])

describe('unary', () => {
  for (const [name, reference] of Object.entries(unary))
    it(name, () => {
      arena.reset()
      const code = unaryCodes[name as keyof typeof unaryCodes]
      const random = seeded(code + 1)
      for (const n of [0, 1, 3, 4, 7, 301]) {
        const values = random.floats(n, small.has(name) ? 0.99 : 8)
        if (positive.has(name)) for (let i = 0; i < n; i++) values[i] = Math.abs(values[i]!) + 1
        if (name === 'round' && n > 3) values.set([0.5, 1.5, -0.5, 2.5])
        const out = arena.room(n + 1)
        arena.wasm.unary(code, arena.floats(values), out, n, 0.25, 0.5)
        const actual = arena.readFloats(out, n + 1)
        expect(actual[n]).toBeNaN()
        const expected = Array.from(values, (x) => reference(x))
        expect(worstError(actual.subarray(0, n), expected)).toBeLessThan(5e-7)
      }
    })

  it('erf within 1.5e-7 of known values', () => {
    arena.reset()
    const out = arena.room(5)
    arena.wasm.unary(unaryCodes.erf, arena.floats([0, 0.005, 0.5, 1, -2]), out, 5, 0, 0)
    const known = [0, 0.00564183076, 0.5204998778, 0.8427007929, -0.995322265]
    expect(worstError(arena.readFloats(out, 5), known)).toBeLessThan(3e-7)
  })

  it('keeps NaN and reaches the limits', () => {
    arena.reset()
    const at = arena.floats([Number.NaN, -Infinity, Infinity, 0])
    const out = arena.room(4)
    const of = (name: keyof typeof unaryCodes) => {
      arena.wasm.unary(unaryCodes[name], at, out, 4, 0, 0)
      return [...arena.readFloats(out, 4)]
    }
    expect(of('exp')).toEqual([Number.NaN, 0, Infinity, 1])
    expect(of('sigmoid')).toEqual([Number.NaN, 0, 1, 0.5])
    expect(of('tanh')).toEqual([Number.NaN, -1, 1, 0])
    expect(of('relu')).toEqual([Number.NaN, 0, Infinity, 0])
    expect(of('step')).toEqual([Number.NaN, 0, 1, 0])
    arena.wasm.classify(classifyCodes.isFinite, at, out, 4)
    expect([...arena.readBytes(out, 4)]).toEqual([0, 0, 0, 1])
  })
})

/** The gradients of gelu: see accuracy.test.ts. */
const binary: Record<
  Exclude<keyof typeof binaryCodes, 'geluGrad' | 'geluTanhGrad'>,
  (a: number, b: number) => number
> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  maximum: Math.max,
  minimum: Math.min,
  squaredDifference: (a, b) => (a - b) ** 2,
  floorDiv: (a, b) => Math.floor(a / b),
  mod: (a, b) => a - b * Math.floor(a / b),
  pow: (a, b) => Math.abs(a) ** b,
  atan2: Math.atan2,
  divNoNan: (a, b) => (b === 0 ? 0 : a / b),
  prelu: (a, b) => (a < 0 ? a * b : a),
  eluGrad: (dy, y) => (y >= 0 ? dy : dy * (y + 1)),
  reluGrad: (dy: number, y: number) => (y > 0 ? dy : 0),
}

describe('binary', () => {
  for (const [name, reference] of Object.entries(binary))
    it(name, () => {
      arena.reset()
      const code = binaryCodes[name as keyof typeof binaryCodes]
      const random = seeded(code + 50)
      const [rows, inner] = [3, 11]
      const [a, b] = [random.floats(rows * inner, 3), random.floats(rows * inner, 3)]
      if (name === 'pow') a.set(a.map(Math.abs))
      if (name === 'divNoNan') b[5] = 0
      const [atA, atB, out] = [arena.floats(a), arena.floats(b), arena.room(rows * inner)]
      for (const [rowA, stepA, rowB, stepB] of [
        [inner, 1, inner, 1],
        [inner, 1, 0, 1],
        [0, 0, inner, 1],
        [1, 0, inner, 1],
      ] as const) {
        arena.wasm.binary(code, 0, atA, atB, out, rows, inner, rowA, stepA, rowB, stepB)
        const expected = Array.from(a, (_, i) => {
          const [r, c] = [Math.floor(i / inner), i % inner]
          return reference(a[r * rowA + c * stepA]!, b[r * rowB + c * stepB]!)
        })
        expect(worstError(arena.readFloats(out, rows * inner), expected)).toBeLessThan(2e-6)
      }
    })

  it('divides, floors and takes remainders of int32', () => {
    arena.reset()
    const out = arena.room(4)
    const [a, b] = [arena.ints([7, -7, 7, -7]), arena.ints([2, 2, -2, 0])]
    const of = (name: keyof typeof binaryCodes) => {
      arena.wasm.binary(binaryCodes[name], 1, a, b, out, 1, 4, 0, 1, 0, 1)
      return [...arena.readInts(out, 4)]
    }
    expect(of('div')).toEqual([3, -3, -3, 0])
    expect(of('floorDiv')).toEqual([3, -4, -4, 0])
    expect(of('mod')).toEqual([1, 1, -1, 0])
    expect(of('mul')).toEqual([14, -14, -14, 0])
  })

  it('broadcasts along any axes, and compares', () => {
    arena.reset()
    const random = seeded(9)
    const [a, b] = [random.floats(3 * 5), random.floats(4)]
    // a [3, 1, 5], b [4, 1]: out [3, 4, 5].
    const info = arena.ints([1, 1, 1, 3, 4, 5, 0, 0, 0, 5, 0, 1, 0, 0, 0, 0, 1, 0])
    const [atA, atB, out] = [arena.floats(a), arena.floats(b), arena.room(60)]
    arena.wasm.binaryStrided(binaryCodes.sub, 0, atA, atB, out, info)
    const each = (f: (x: number, y: number) => number) =>
      Array.from({ length: 60 }, (_, i) => f(a[Math.floor(i / 20) * 5 + (i % 5)]!, b[Math.floor(i / 5) % 4]!))
    expect(
      worstError(
        arena.readFloats(out, 60),
        each((x, y) => x - y),
      ),
    ).toBeLessThan(1e-6)
    arena.wasm.compareStrided(compareCodes.lessEqual, 0, atA, atB, out, info)
    expect([...arena.readBytes(out, 60)]).toEqual(each((x, y) => (x <= y ? 1 : 0)))
  })

  it('casts, selects, fills and accumulates', () => {
    arena.reset()
    const x = arena.floats([1.9, -1.9, 0, Number.NaN, 5])
    const out = arena.room(5)
    arena.wasm.cast(0, 1, x, out, 5)
    expect([...arena.readInts(out, 5)]).toEqual([1, -1, 0, 0, 5])
    arena.wasm.cast(0, 2, x, out, 5)
    expect([...arena.readBytes(out, 5)]).toEqual([1, 1, 0, 1, 1])
    arena.wasm.cast(1, 0, arena.ints([-3, 2 ** 24, 0]), out, 3)
    expect([...arena.readFloats(out, 3)]).toEqual([-3, 2 ** 24, 0])
    arena.wasm.fill(0, out, 5, 0.5)
    arena.wasm.addInto(arena.floats([1, 2, 3, 4, 5]), out, 5, -2)
    expect([...arena.readFloats(out, 5)]).toEqual([-1.5, -3.5, -5.5, -7.5, -9.5])
    const [a, b] = [arena.ints([1, 2, 3, 4]), arena.ints([5, 6, 7, 8])]
    arena.wasm.select(arena.bytes([0, 1]), a, b, out, 2, 2, 4)
    expect([...arena.readInts(out, 4)]).toEqual([5, 6, 3, 4])
  })
})
