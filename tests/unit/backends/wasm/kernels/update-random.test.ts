import { describe, expect, it } from 'vitest'
import { randomValues } from '../../../../../src/backends/random-tensor.js'
import { randomCodes } from '../../../../../src/backends/wasm/exports.js'
import { openArena, seeded, worstError } from './arena.js'

const arena = await openArena()
const n = 23
const steps = 3
const random = seeded(3)
const weights = random.floats(n)
const gradients = Array.from({ length: steps }, () => random.floats(n))

/** Three steps of the module against three of the rule in float64. */
function follow(
  slotCount: number,
  rule: (w: number, g: number, slots: Float64Array, step: number) => number,
  run: (parameters: number, gradient: number, slots: number[], step: number) => void,
) {
  arena.reset()
  const parameters = arena.floats(weights)
  const slots = Array.from({ length: slotCount }, () => arena.floats(new Float32Array(n)))
  gradients.forEach((gradient, i) => {
    run(parameters, arena.floats(gradient), slots, i + 1)
  })
  const expected = Array.from(weights, (weight, i) => {
    const state = new Float64Array(slotCount)
    return gradients.reduce((w, gradient, step) => rule(w, gradient[i]!, state, step + 1), weight)
  })
  expect(worstError(arena.readFloats(parameters, n), expected)).toBeLessThan(2e-6)
}

describe('update rules', () => {
  it('sgd', () => {
    follow(
      0,
      (w, g) => w - 0.1 * (0.5 * g + 0.01 * w),
      (p, g) => arena.wasm.sgd(p, g, 0, n, 0.1, 0, 0, 0.01, 0.5),
    )
  })

  it.each([0, 1])('sgd with momentum, nesterov %i', (nesterov) => {
    follow(
      1,
      (w, g, s) => {
        s[0] = 0.9 * s[0]! + 0.5 * g
        return w - 0.1 * (nesterov ? 0.5 * g + 0.9 * s[0]! : s[0]!)
      },
      (p, g, [v]) => arena.wasm.sgd(p, g, v!, n, 0.1, 0.9, nesterov, 0, 0.5),
    )
  })

  it.each([true, false])('adam, decoupled decay %s', (decoupled) => {
    follow(
      2,
      (w, raw, s, t) => {
        const g = 0.5 * raw + (decoupled ? 0 : 0.02 * w)
        s[0] = 0.9 * s[0]! + 0.1 * g
        s[1] = 0.999 * s[1]! + 0.001 * g * g
        const change = (0.01 * (s[0]! / (1 - 0.9 ** t))) / (Math.sqrt(s[1]! / (1 - 0.999 ** t)) + 1e-8)
        return w * (decoupled ? 1 - 0.01 * 0.02 : 1) - change
      },
      (p, g, [m, v], t) => {
        const [stepSize, rootScale] = [0.01 / (1 - 0.9 ** t), 1 / Math.sqrt(1 - 0.999 ** t)]
        const [keep, penalty] = decoupled ? [1 - 0.01 * 0.02, 0] : [1, 0.02]
        arena.wasm.adam(p, g, m!, v!, n, stepSize, rootScale, 0.9, 0.999, 1e-8, keep, penalty, 0.5)
      },
    )
  })

  it('adagrad', () => {
    follow(
      1,
      (w, raw, s) => {
        const g = 0.5 * raw + 0.01 * w
        s[0]! += g * g
        return w - (0.1 * g) / (Math.sqrt(s[0]!) + 1e-3)
      },
      (p, g, [sum]) => arena.wasm.adagrad(p, g, sum!, n, 0.1, 1e-3, 0.01, 0.5),
    )
  })

  it.each([n, 8, 1, 0])('lamb, %i weights of one tensor', (length) => {
    arena.reset()
    const parameters = arena.floats(weights)
    const slots = [arena.floats(new Float32Array(n)), arena.floats(new Float32Array(n))] as const
    const expected = Float64Array.from(weights)
    const [mean, square] = [new Float64Array(n), new Float64Array(n)]
    gradients.forEach((gradient, i) => {
      const t = i + 1
      const [meanScale, rootScale] = [1 / (1 - 0.9 ** t), 1 / Math.sqrt(1 - 0.999 ** t)]
      arena.wasm.lamb(
        ...([parameters, arena.floats(gradient), ...slots, length, 0.01, meanScale, rootScale] as const),
        ...([0.9, 0.999, 0, 0.02, 0.5] as const),
      )
      const direction = Float64Array.from({ length }, (_, k) => {
        const g = 0.5 * gradient[k]!
        mean[k] = 0.9 * mean[k]! + 0.1 * g
        square[k] = 0.999 * square[k]! + 0.001 * g * g
        return (mean[k]! * meanScale) / Math.sqrt(square[k]! * rootScale ** 2) + 0.02 * expected[k]!
      })
      const norm = (values: Float64Array) => Math.sqrt(values.reduce((sum, x) => sum + x * x, 0))
      const trust = norm(expected.subarray(0, length)) / norm(direction)
      direction.forEach((u, k) => {
        expected[k]! -= 0.01 * trust * u
      })
    })
    expect(worstError(arena.readFloats(parameters, n), expected)).toBeLessThan(2e-6)
  })

  // They cost a GPU nothing.
  it.runIf(arena.backend === 'wasm')('lamb, whose means stay out of the denormal numbers', () => {
    arena.reset()
    const slots = [
      arena.floats(new Float32Array(n).fill(1e-38)),
      arena.floats(new Float32Array(n).fill(1e-38)),
    ] as const
    const still = arena.floats(new Float32Array(n))
    arena.wasm.lamb(arena.floats(weights), still, ...slots, n, 0.01, 1, 1, 0.9, 0.999, 0, 0, 1)
    const [mean, square] = slots.map((slot) => arena.readFloats(slot, n)) as [Float32Array, Float32Array]
    expect(mean.every((value) => value === 0)).toBe(true)
    expect(Math.min(...square)).toBeGreaterThan(2 ** -126)
  })

  it('rmsprop, centered with momentum', () => {
    follow(
      3,
      (w, raw, s) => {
        const g = 0.5 * raw
        s[0] = 0.9 * s[0]! + 0.1 * g * g
        s[1] = 0.9 * s[1]! + 0.1 * g
        s[2] = 0.5 * s[2]! + g / (Math.sqrt(Math.max(0, s[0]! - s[1]! ** 2)) + 1e-3)
        return w - 0.01 * s[2]!
      },
      (p, g, [v, m, b]) => arena.wasm.rmsprop(p, g, v!, b!, m!, n, 0.01, 0.9, 1e-3, 0.5, 0, 0.5),
    )
  })
})

it('adds up squares', () => {
  arena.reset()
  const expected = Array.from(weights).reduce((sum, value) => sum + value * value, 0)
  expect(arena.wasm.sumOfSquares(arena.floats(weights), n)).toBeCloseTo(expected, 6)
})

it('normalizes with given moments', () => {
  arena.reset()
  const [x, mean, scale, offset] = [12, 3, 3, 3].map((length) => random.floats(length)) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ]
  const variance = random.floats(3).map((v) => v * v)
  const out = arena.room(12)
  const at = [x, mean, variance, scale, offset].map((values) => arena.floats(values))
  arena.wasm.batchNorm(at[0]!, at[1]!, at[2]!, at[3]!, at[4]!, out, 4, 3, 1e-3)
  const expected = Array.from(x, (value, i) => {
    const c = i % 3
    return ((value - mean[c]!) / Math.sqrt(variance[c]! + 1e-3)) * scale[c]! + offset[c]!
  })
  expect(worstError(arena.readFloats(out, 12), expected)).toBeLessThan(2e-6)
})

describe('random numbers', () => {
  it.each(['uniform', 'normal', 'dropoutMask'] as const)('%s as in JavaScript', (kind) => {
    for (const width of [1, 4, 7, 16, 21, 64]) {
      arena.reset()
      const at = { rate: 0.3, seed: 4_000_000_000, step: 5, firstRow: 77, stream: 2 }
      const out = arena.room(3 * width)
      arena.wasm.philoxFill(out, 3, width, randomCodes[kind], at.rate, at.seed, at.step, at.firstRow, at.stream)
      const actual = arena.readFloats(out, 3 * width)
      const expected = randomValues({ kind, shape: [3, width], ...at })
      if (kind === 'normal') expect(worstError(actual, expected)).toBeLessThan(2e-7)
      else expect([...actual]).toEqual([...expected])
    }
  })
})
