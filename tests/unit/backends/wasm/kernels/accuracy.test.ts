import { describe, expect, it } from 'vitest'
import { unaryCodes } from '../../../../../src/backends/wasm/exports.js'
import { openArena } from './arena.js'

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
  erf: [erf, 1.5],
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
