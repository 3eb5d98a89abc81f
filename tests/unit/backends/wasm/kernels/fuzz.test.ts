/**
 * Kernels on shapes drawn at random, against loops in float64; convolutions and pools have theirs in convolution.test.ts.
 * Everything is seeded: a shape that fails fails again.
 */

import { afterAll, describe, expect, it } from 'vitest'
import { openArena, seeded, worstError } from './arena.js'

const arena = await openArena()
const scratch = arena.room(2 ** 20)
/** The least that the kernels promise to work with, and what they ask for. */
const scratchSizes = [2 ** 16, 2 ** 22]
const random = seeded(2024)
const rounds = Array.from({ length: 40 }, (_, i) => i)

/** Empties the memory but for the scratch. */
function start(round: number): void {
  arena.reset()
  arena.room(2 ** 20)
  arena.wasm.setScratch(scratch, scratchSizes[round % 2]!)
}
afterAll(() => arena.wasm.setScratch(scratch, 2 ** 22))

/** A size: none, one, a handful, or some more. */
const size = (most: number): number =>
  [0, 1, random.integer(2, 9), random.integer(1, most), random.integer(1, most)][random.integer(0, 4)]!
const some = (most: number): number => Math.max(1, size(most))
const zeros = (length: number) => new Float64Array(length)
const sumOf = (values: ArrayLike<number>) => Array.from(values).reduce((sum, x) => sum + x, 0)

it.each(rounds)('matMul %i', (round) => {
  start(round)
  const [m, n, batch] = [size(70), size(70), random.integer(1, 3)]
  const k = round % 8 === 0 ? random.integer(500, 1500) : size(90)
  const [transposeA, transposeB, gap] = [random.integer(0, 1), random.integer(0, 1), random.integer(0, 5)]
  const [rowsA, columnsA] = transposeA ? [k, m] : [m, k]
  const [rowsB, columnsB] = transposeB ? [n, k] : [k, n]
  const [strideA, strideB] = [columnsA + gap, columnsB + gap]
  const [a, b, bias] = [batch * rowsA * strideA, batch * rowsB * strideB, n].map((length) => random.floats(length))
  const out = arena.room(batch * m * n)
  arena.wasm.matMul(
    ...([arena.floats(a!), arena.floats(b!), out, arena.floats(bias!), 0, m, n, k, transposeA, transposeB] as const),
    ...([strideA, strideB, n, batch, rowsA * strideA, rowsB * strideB, m * n] as const),
  )
  const expected = zeros(batch * m * n).map((_, at) => {
    const [i, r, c] = [Math.floor(at / (m * n)), Math.floor(at / n) % m, at % n]
    let sum = bias![c]!
    for (let t = 0; t < k; t++) {
      const left = a![i * rowsA * strideA + (transposeA ? t * strideA + r : r * strideA + t)]!
      sum += left * b![i * rowsB * strideB + (transposeB ? c * strideB + t : t * strideB + c)]!
    }
    return sum
  })
  expect(worstError(arena.readFloats(out, batch * m * n), expected), `${m} ${n} ${k}`).toBeLessThan(3e-5)
})

it.each(rounds)('softmax and cross-entropy %i', (round) => {
  start(round)
  const [rows, classes] = [size(20), some(300)]
  const logits = random.floats(rows * classes, [1, 20, 200][round % 3])
  const targets = random.floats(rows * classes).map(Math.abs)
  const labels = Int32Array.from({ length: rows }, () => random.integer(-1, classes))
  const dy = random.floats(rows)
  const [x, t, l, d] = [arena.floats(logits), arena.floats(targets), arena.ints(labels), arena.floats(dy)]
  const row = (values: ArrayLike<number>, r: number) =>
    Array.from({ length: classes }, (_, c) => values[r * classes + c]!)
  const logs = Array.from({ length: rows }, (_, r) => {
    const values = row(logits, r)
    const largest = Math.max(...values)
    const log = largest + Math.log(sumOf(values.map((value) => Math.exp(value - largest))))
    return values.map((value) => value - log)
  })
  const out = arena.room(rows * classes)
  for (const isLog of [0, 1]) {
    arena.wasm.softmax(isLog, x, out, rows, classes)
    const expected = logs.flat().map((log) => (isLog ? log : Math.exp(log)))
    expect(worstError(arena.readFloats(out, rows * classes), expected)).toBeLessThan(1e-6)
  }
  const oneHot = (r: number) => Array.from({ length: classes }, (_, c) => (labels[r] === c ? 1 : 0))
  for (const [atTargets, atLabels, truth] of [
    [t, 0, (r: number) => row(targets, r)],
    [0, l, oneHot],
  ] as const) {
    const losses = logs.map((values, r) => -sumOf(values.map((log, c) => log * truth(r)[c]!)))
    arena.wasm.crossEntropy(x, atTargets, atLabels, out, rows, classes)
    expect(worstError(arena.readFloats(out, rows), losses)).toBeLessThan(5e-6)
    arena.wasm.crossEntropyGrad(d, x, atTargets, atLabels, out, rows, classes)
    const slopes = logs.map((values, r) => {
      const total = sumOf(truth(r))
      return values.map((log, c) => dy[r]! * (Math.exp(log) * total - truth(r)[c]!))
    })
    expect(worstError(arena.readFloats(out, rows * classes), slopes.flat())).toBeLessThan(5e-6)
  }
})

/** Normalization of groups of numbers, each with a scale and an offset by its index, and its gradients. */
function normalization(
  { x, dy, scale, offset }: Record<'x' | 'dy' | 'scale' | 'offset', Float32Array>,
  groups: number[][],
  parameterOf: (index: number) => number,
  epsilon: number,
) {
  const [y, dx] = [zeros(x.length), zeros(x.length)]
  const [dScale, dOffset] = [zeros(scale.length), zeros(scale.length)]
  for (const group of groups) {
    const mean = sumOf(group.map((i) => x[i]!)) / group.length
    const variance = sumOf(group.map((i) => (x[i]! - mean) ** 2)) / group.length
    const root = 1 / Math.sqrt(variance + epsilon)
    const normal = (i: number) => (x[i]! - mean) * root
    const slope = (i: number) => dy[i]! * scale[parameterOf(i)]!
    const meanSlope = sumOf(group.map(slope)) / group.length
    const meanProduct = sumOf(group.map((i) => slope(i) * normal(i))) / group.length
    for (const i of group) {
      y[i] = normal(i) * scale[parameterOf(i)]! + offset[parameterOf(i)]!
      dx[i] = root * (slope(i) - meanSlope - normal(i) * meanProduct)
      dScale[parameterOf(i)]! += dy[i]! * normal(i)
      dOffset[parameterOf(i)]! += dy[i]!
    }
  }
  return { y, dx, dScale, dOffset }
}

describe('normalizations', () => {
  /** Rows and columns with all that a normalization takes. */
  function draw(round: number) {
    start(round)
    const [rows, columns] = [size(60), some(90)]
    const [x, dy] = [random.floats(rows * columns).map((value) => value + 2), random.floats(rows * columns)]
    const [scale, offset] = [random.floats(columns), random.floats(columns)]
    const at = { x: arena.floats(x), dy: arena.floats(dy), scale: arena.floats(scale), offset: arena.floats(offset) }
    const room = { y: arena.room(x.length), dx: arena.room(x.length), a: arena.room(columns), b: arena.room(columns) }
    return { rows, columns, arrays: { x, dy, scale, offset }, at, room }
  }
  const column = (rows: number, columns: number, c: number) => Array.from({ length: rows }, (_, r) => r * columns + c)

  it.each(rounds)('of rows %i', (round) => {
    const { rows, columns, arrays, at, room } = draw(round)
    const moments = arena.room(2 * rows)
    arena.wasm.layerNorm(at.x, at.scale, at.offset, room.y, moments, rows, columns, 0.01)
    arena.wasm.layerNormGrad(at.dy, at.x, at.scale, moments, room.dx, rows, columns)
    arena.wasm.layerNormParameterGrad(at.dy, at.x, moments, room.a, room.b, rows, columns)
    const groups = Array.from({ length: rows }, (_, r) => Array.from({ length: columns }, (_, c) => r * columns + c))
    const expected = normalization(arrays, groups, (i) => i % columns, 0.01)
    expect(worstError(arena.readFloats(room.y, rows * columns), expected.y)).toBeLessThan(1e-5)
    expect(worstError(arena.readFloats(room.dx, rows * columns), expected.dx)).toBeLessThan(2e-5)
    expect(worstError(arena.readFloats(room.a, columns), expected.dScale)).toBeLessThan(1e-5)
    expect(worstError(arena.readFloats(room.b, columns), expected.dOffset)).toBeLessThan(1e-5)
  })

  it.each(rounds)('of columns %i', (round) => {
    const { rows, columns, arrays, at, room } = draw(round)
    const [mean, variance] = [arena.room(columns), arena.room(columns)]
    arena.wasm.batchNormTraining(at.x, at.scale, at.offset, room.y, mean, variance, rows, columns, 0.01)
    arena.wasm.batchNormTrainingGrad(
      ...([at.dy, at.x, at.scale, mean, variance, room.dx, room.a, room.b, rows, columns, 0.01] as const),
    )
    const groups = rows === 0 ? [] : Array.from({ length: columns }, (_, c) => column(rows, columns, c))
    const expected = normalization(arrays, groups, (i) => i % columns, 0.01)
    expect(worstError(arena.readFloats(room.y, rows * columns), expected.y)).toBeLessThan(1e-5)
    expect(worstError(arena.readFloats(room.dx, rows * columns), expected.dx)).toBeLessThan(2e-5)
    // Without rows there is no mean, and nothing that it scales.
    if (rows === 0) return
    expect(worstError(arena.readFloats(room.a, columns), expected.dScale)).toBeLessThan(1e-5)
    expect(worstError(arena.readFloats(room.b, columns), expected.dOffset)).toBeLessThan(1e-5)
  })
})

// Of the scratch alone that the wasm backend is given.
it.runIf(arena.backend === 'wasm').each(rounds)(
  'attention does not depend on how much scratch there is %i',
  (round) => {
    const [batch, queries, keys] = [random.integer(1, 2), some(150), some(150)]
    const [heads, dim, valueDim, causal] = [random.integer(1, 3), some(40), some(40), round % 2]
    const arrays = [
      random.floats(batch * queries * heads * dim),
      random.floats(batch * keys * heads * dim),
      random.floats(batch * keys * heads * valueDim),
      random.floats(batch * queries * heads * valueDim),
    ] as const
    const shape = [batch, queries, keys, heads, dim, valueDim, causal, 0.3] as const
    const [small, large] = scratchSizes.map((_, which) => {
      start(which)
      const [q, k, v, dy] = [arrays[0], arrays[1], arrays[2], arrays[3]].map((values) => arena.floats(values)) as Four
      const [out, sums] = [arena.room(arrays[3].length), arena.room(batch * heads * queries)]
      const made = [arena.room(arrays[0].length), arena.room(arrays[1].length), arena.room(arrays[2].length)] as const
      arena.wasm.attention(q, k, v, out, sums, ...shape)
      arena.wasm.attentionGrad(dy, q, k, v, out, sums, ...made, ...shape)
      return [out, ...made].map((pointer, i) => arena.readFloats(pointer, arrays[(i + 3) % 4]!.length))
    })
    // Float64 references of attention: tests/unit/backends/attention.test.ts.
    small!.forEach((values, i) => {
      expect(worstError(values, large![i]!)).toBeLessThan(1e-5)
    })
  },
)
type Four = [number, number, number, number]
