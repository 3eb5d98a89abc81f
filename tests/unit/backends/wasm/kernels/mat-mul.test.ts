import { describe, expect, it } from 'vitest'
import { openArena, seeded, worstError } from './arena.js'

const activations = [
  (x: number) => x,
  (x: number) => Math.max(0, x),
  (x: number) => Math.min(6, Math.max(0, x)),
  (x: number) => 1 / (1 + Math.exp(-x)),
  Math.tanh,
]

describe.each([false, true])('matMul, shared memory %s', async (shared) => {
  const arena = await openArena(shared)
  const sizes = [
    ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 14].map((m, i) => [m, (i * 5) % 19, (i * 7) % 23]),
    [0, 4, 4],
    [4, 0, 4],
    [5, 9, 0],
    [3, 17, 1],
    [25, 33, 700],
    [131, 12, 40],
    [33, 600, 530],
  ]
  for (const [transposeA, transposeB] of [
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ] as const)
    it(`agrees with float64 sums, transposed ${transposeA} ${transposeB}`, () => {
      const random = seeded(7 + transposeA * 2 + transposeB)
      for (const [index, [m, n, k]] of (sizes as [number, number, number][]).entries()) {
        arena.reset()
        const batch = 1 + (index % 3)
        const activation = index % 5
        const hasBias = index % 2 === 0
        const [rowsA, columnsA] = transposeA ? [k, m] : [m, k]
        const [rowsB, columnsB] = transposeB ? [n, k] : [k, n]
        const [strideA, strideB, strideOut] = [columnsA + 3, columnsB + 1, n + 2]
        const a = random.floats(batch * rowsA * strideA)
        // One b for the whole batch.
        const b = random.floats(rowsB * strideB)
        const bias = random.floats(n)
        const out = arena.room(batch * m * strideOut)
        arena.wasm.matMul(
          ...([arena.floats(a), arena.floats(b), out, hasBias ? arena.floats(bias) : 0, activation] as const),
          ...([m, n, k, transposeA, transposeB, strideA, strideB, strideOut] as const),
          ...([batch, rowsA * strideA, 0, m * strideOut] as const),
        )
        const actual = arena.readFloats(out, batch * m * strideOut)
        for (let i = 0; i < batch; i++)
          for (let r = 0; r < m; r++) {
            const expected: number[] = []
            for (let c = 0; c < n; c++) {
              let sum = hasBias ? bias[c]! : 0
              for (let t = 0; t < k; t++)
                sum +=
                  a[i * rowsA * strideA + (transposeA ? t * strideA + r : r * strideA + t)]! *
                  b[transposeB ? c * strideB + t : t * strideB + c]!
              expected.push(activations[activation]!(sum))
            }
            const at = (i * m + r) * strideOut
            expect(worstError(actual.subarray(at, at + n), expected), `${m} ${n} ${k}`).toBeLessThan(2e-5)
            expect([...actual.subarray(at + n, at + strideOut)]).toEqual([Number.NaN, Number.NaN])
          }
      }
    })
})
