import { beforeAll, describe, expect, it } from 'vitest'
import { BlasAssist, type ProductArguments } from '../../../../src/backends/assist/blas-assist.js'
import { findBlas } from '../../../../src/backends/assist/blas-library.js'
import type { KernelExports } from '../../../../src/backends/wasm/exports.js'
import { WasmMemory } from '../../../../src/backends/wasm/memory.js'
import { loadKernels } from '../../../../src/backends/wasm/module.js'
import { seeded, worstError } from '../wasm/kernels/arena.js'

const found = await findBlas()
if ('reason' in found) console.log(`Skipped: products in a BLAS. ${found.reason}`)

/** m, n, k: odd ones, single rows, columns and steps, and those that are just too small. */
const sizes = [
  [32, 32, 32],
  [33, 31, 35],
  [1, 211, 157],
  [211, 1, 157],
  [191, 173, 1],
  [7, 67, 71],
  [131, 12, 40],
  [64, 10, 512],
  [33, 600, 530],
] as const

describe.skipIf('reason' in found).each([false, true])('products in a BLAS, shared memory %s', (shared) => {
  const blas = 'library' in found ? found.library : undefined
  let own: KernelExports
  let heap: WasmMemory
  let assist: BlasAssist

  beforeAll(async () => {
    const { exports, memory, heapBase } = await loadKernels({ shared })
    own = exports
    heap = new WasmMemory(memory, heapBase)
    assist = new BlasAssist(blas!, own, heap)
  })

  const put = (values: Float32Array): number => {
    const pointer = heap.allocate(values.length * 4, 'float32 range', [values.length])
    heap.floats.set(values, pointer / 4)
    return pointer
  }

  /** What a kernel writes to a range of so many floats that was full of NaN. */
  const run = (matMul: KernelExports['matMul'], product: ProductArguments, length: number): Float32Array => {
    heap.floats.fill(Number.NaN, product[2] / 4, product[2] / 4 + length)
    matMul(...product)
    return heap.floats.slice(product[2] / 4, product[2] / 4 + length)
  }

  for (const [transposeA, transposeB] of [
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ] as const)
    it(`agree with the kernel, transposed ${transposeA} ${transposeB}`, () => {
      const random = seeded(3 + transposeA * 2 + transposeB)
      for (const [m, n, k] of sizes)
        for (const activation of [0, 1, 2, 3, 4])
          for (const hasBias of [false, true]) {
            const batch = 1 + (activation % 3)
            const [rowsA, columnsA] = transposeA ? [k, m] : [m, k]
            const [rowsB, columnsB] = transposeB ? [n, k] : [k, n]
            const [strideA, strideB, strideOut] = [columnsA + 3, columnsB + 1, n + 2]
            // Sums of about unit size, so that no activation hides them. One b for the whole batch.
            const a = put(random.floats(batch * rowsA * strideA, 3 / Math.sqrt(k)))
            const b = put(random.floats(rowsB * strideB))
            const bias = hasBias ? put(random.floats(n)) : 0
            const length = batch * m * strideOut
            const out = put(new Float32Array(length))
            const product: ProductArguments = [
              ...([a, b, out, bias, activation, m, n, k, transposeA, transposeB, strideA, strideB, strideOut] as const),
              ...([batch, rowsA * strideA, 0, m * strideOut] as const),
            ]
            assist.used = false
            const actual = run(assist.kernels.matMul, product, length)
            expect(assist.used).toBe(m * n * k >= 32 ** 3)
            const expected = run(own.matMul, product, length)
            for (let row = 0; row < batch * m; row++) {
              const at = row * strideOut
              const error = worstError(actual.subarray(at, at + n), expected.subarray(at, at + n))
              expect(error, `${m} ${n} ${k}, activation ${activation}`).toBeLessThan(1e-5)
              // What lies between the rows is nobody's business.
              expect([...actual.subarray(at + n, at + strideOut)]).toEqual([Number.NaN, Number.NaN])
            }
            for (const pointer of [a, b, out, ...(hasBias ? [bias] : [])]) heap.release(pointer)
          }
    })

  it('find the memory again when it has grown', () => {
    const random = seeded(9)
    const product = (): ProductArguments => {
      const [a, b, out] = [put(random.floats(4096)), put(random.floats(4096)), put(new Float32Array(4096))]
      return [a, b, out, 0, 0, 64, 64, 64, 0, 0, 64, 64, 64, 1, 0, 0, 0]
    }
    const before = product()
    run(assist.kernels.matMul, before, 4096)
    const { capacityBytes } = heap
    heap.allocate(capacityBytes, 'float32 range', [])
    expect(heap.capacityBytes).toBeGreaterThan(capacityBytes)
    for (const one of [before, product()])
      expect(worstError(run(assist.kernels.matMul, one, 4096), run(own.matMul, one, 4096))).toBeLessThan(1e-5)
  })

  it('leave to the kernel what a BLAS refuses: rows that overlap', () => {
    const random = seeded(11)
    const [row, b, out] = [put(random.floats(64)), put(random.floats(4096)), put(new Float32Array(4096))]
    assist.used = false
    // The same row of a for each row of the result.
    const product: ProductArguments = [row, b, out, 0, 0, 64, 64, 64, 0, 0, 0, 64, 64, 1, 0, 0, 0]
    expect(run(assist.kernels.matMul, product, 4096)).toEqual(run(own.matMul, product, 4096))
    expect(assist.used).toBe(false)
  })
})
