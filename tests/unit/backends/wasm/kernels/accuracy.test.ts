import { describe, expect, it } from 'vitest'
import { binaryCodes, unaryCodes } from '../../../../../src/backends/wasm/exports.js'
import { openArena, seeded } from './arena.js'

const arena = await openArena()
const count = 2 ** 17

/** Bit patterns from all over float32, NaN, infinities and numbers below the normal ones among them. */
const anyFloats = new Float32Array(
  Uint32Array.from({ length: count }, (_, i) => i * 32768 + ((i * 40503) % 32768)).buffer,
)
const spaced = (limit: number) => Float32Array.from({ length: count }, (_, i) => ((2 * i) / count - 1) * limit)

/** Series up to 3, continued fraction past it. */
function erf(x: number): number {
  const size = Math.abs(x)
  if (size < 3) {
    let [sum, term] = [size, size]
    for (let n = 1; n < 100; n++) {
      term *= (-size * size) / n
      sum += term / (2 * n + 1)
    }
    return (Math.sign(x) * sum * 2) / Math.sqrt(Math.PI)
  }
  let fraction = 0
  for (let n = 60; n > 0; n--) fraction = n / 2 / (size + fraction)
  return Math.sign(x) * (1 - Math.exp(-size * size) / Math.sqrt(Math.PI) / (size + fraction))
}
const elu = (x: number) => (x >= 0 ? x : Math.expm1(x))

/** Largest error in units in the last place; below the normal numbers, largest error in their unit. */
const cases: Partial<Record<keyof typeof unaryCodes, [reference: (x: number) => number, places: number]>> = {
  exp: [Math.exp, 1.5],
  expm1: [Math.expm1, 2],
  log: [Math.log, 1],
  log1p: [Math.log1p, 2],
  sigmoid: [(x) => 1 / (1 + Math.exp(-x)), 2.5],
  tanh: [Math.tanh, 2.5],
  elu: [elu, 2],
  selu: [(x) => (x >= 0 ? 1.0507009873554805 * x : 1.7580993408473768 * Math.expm1(x)), 3],
  softplus: [(x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))), 2.5],
  sin: [Math.sin, 2],
  cos: [Math.cos, 2],
  tan: [Math.tan, 4],
  // CUDA's may be 2 places off, and its powers 4.
  erf: [erf, arena.backend === 'wasm' ? 1.5 : 2.5],
}
const smallestNormal = 2 ** -126
const unitOf = (x: number) => 2 ** (Math.floor(Math.log2(Math.max(smallestNormal, Math.abs(x)))) - 23)

describe('error against float64, in units in the last place', () => {
  for (const [name, [reference, places]] of Object.entries(cases))
    it(`${name} within ${places}`, () => {
      for (const values of [anyFloats, spaced(20), spaced(2 ** 17)]) {
        arena.reset()
        const out = arena.room(count)
        arena.wasm.unary(unaryCodes[name as keyof typeof unaryCodes], arena.floats(values), out, count, 0, 0)
        const actual = arena.readFloats(out, count)
        let worst = 0
        let worstAt = 0
        values.forEach((x, i) => {
          const exact = reference(x)
          const rounded = Math.fround(exact)
          // sigmoid gives up its last digits where they are past float32's normal numbers.
          const slack = name === 'sigmoid' && x < -87 ? 5e-39 : 0
          const error = Number.isFinite(rounded)
            ? Math.max(0, Math.abs(actual[i]! - exact) - slack) / unitOf(exact)
            : Object.is(actual[i], rounded)
              ? 0
              : Infinity
          if (!(error <= worst)) [worst, worstAt] = [error, x]
        })
        expect(worst, `${name} at ${worstAt}`).toBeLessThan(places)
      }
    })
})

/** (1 + erf(x / sqrt 2)) / 2; below -4 by the continued fraction, which does not cancel. */
function normalShare(x: number): number {
  if (x > -4) return (1 + erf(x / Math.SQRT2)) / 2
  let fraction = 0
  for (let n = 60; n > 0; n--) fraction = n / (-x + fraction)
  return density(x) / (-x + fraction)
}
const density = (x: number) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)
const geluTanhShare = (x: number) => 1 / (1 + Math.exp(-2 * Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))

describe('error of GELU and its slope against float64', () => {
  const forms = {
    gelu: (x: number) => x * normalShare(x),
    geluTanh: (x: number) => x * geluTanhShare(x),
  }
  const slopes = {
    geluGrad: (x: number) => normalShare(x) + x * density(x),
    geluTanhGrad: (x: number) => {
      const y = geluTanhShare(x)
      return y + x * y * (1 - y) * 2 * Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x * x)
    },
  }
  // Relative to the result where that is above 1; below, absolute.
  const worstOf = (values: Float32Array, actual: Float32Array, reference: (x: number) => number) =>
    values.reduce((worst, x, i) => {
      const error = Math.abs(actual[i]! - reference(x)) / Math.max(1, Math.abs(reference(x)))
      return Math.max(worst, error)
    }, 0)

  it.each(['gelu', 'geluTanh'] as const)('%s within 1.5e-7', (name) => {
    for (const values of [spaced(8), spaced(2 ** 17)]) {
      arena.reset()
      const out = arena.room(count)
      arena.wasm.unary(unaryCodes[name], arena.floats(values), out, count, 0, 0)
      expect(worstOf(values, arena.readFloats(out, count), forms[name])).toBeLessThan(1.5e-7)
    }
  })

  it.each(['geluGrad', 'geluTanhGrad'] as const)('%s within 3e-7', (name) => {
    for (const values of [spaced(8), spaced(2 ** 17)]) {
      arena.reset()
      const out = arena.room(count)
      const one = arena.floats([1])
      arena.wasm.binary(binaryCodes[name], 0, one, arena.floats(values), out, 1, count, 0, 0, 0, 1)
      expect(worstOf(values, arena.readFloats(out, count), slopes[name])).toBeLessThan(3e-7)
    }
  })

  it('keeps NaN, and is 0 and the number itself far out', () => {
    for (const name of ['gelu', 'geluTanh'] as const) {
      arena.reset()
      const out = arena.room(5)
      arena.wasm.unary(unaryCodes[name], arena.floats([Number.NaN, -1e30, 1e30, 0, Infinity]), out, 5, 0, 0)
      expect([...arena.readFloats(out, 5)].map((y) => y + 0)).toEqual([Number.NaN, 0, Math.fround(1e30), 0, Infinity])
    }
  })
})

describe('powers against float64', () => {
  const places = arena.backend === 'wasm' ? 0.51 : 4.5
  it(`within ${places} units in the last place, wherever the result is a number`, () => {
    const random = seeded(8)
    const bases = Float32Array.from({ length: count }, () => 2 ** (random.uniform() * 300 - 150))
    const close = Float32Array.from({ length: count }, () => 1 + (random.uniform() - 0.5) / 50)
    const exponents = Float32Array.from({ length: count }, () => (random.uniform() - 0.5) * 12)
    const large = exponents.map((y) => y * 800)
    for (const [x, y] of [
      [bases, exponents],
      [close, large],
    ] as const) {
      arena.reset()
      const out = arena.room(count)
      arena.wasm.binary(binaryCodes.pow, 0, arena.floats(x), arena.floats(y), out, 1, count, 0, 1, 0, 1)
      const actual = arena.readFloats(out, count)
      let worst = 0
      x.forEach((base, i) => {
        const exact = base ** y[i]!
        const rounded = Math.fround(exact)
        if (rounded === 0 || !Number.isFinite(rounded)) expect(actual[i], `${base} ** ${y[i]}`).toBe(rounded)
        else worst = Math.max(worst, Math.abs(actual[i]! - exact) / unitOf(exact))
      })
      expect(worst).toBeLessThan(places)
    }
  })

  it.each([1, 2, 3, 4, 5, 7])('%i of them, plain or not', (n) => {
    arena.reset()
    const x = [2, -2, 0, 1.5, Number.NaN, -8, 3].slice(0, n)
    const y = [0.7, 3, -1, Infinity, 0, 1 / 3, 2.5].slice(0, n)
    const out = arena.room(n + 1)
    arena.wasm.binary(binaryCodes.pow, 0, arena.floats(x), arena.floats(y), out, 1, n, 0, 1, 0, 1)
    const actual = arena.readFloats(out, n + 1)
    expect([...actual.subarray(0, n)]).toEqual(x.map((base, i) => Math.fround(base ** Math.fround(y[i]!))))
    expect(actual[n]).toBeNaN()
  })
})
