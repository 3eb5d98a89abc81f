/**
 * Runs large matrix products of the wasm backend in a BLAS, on the WebAssembly memory itself.
 * @module
 */

import type { KernelExports } from '../wasm/exports.js'
import type { WasmMemory } from '../wasm/memory.js'
import type { BlasLibrary } from './blas-library.js'

/** The arguments of the kernel `matMul`, in order. */
export type ProductArguments = Parameters<KernelExports['matMul']>

/**
 * Products of so many multiplications, m * n * k, or more run in the BLAS. From 32 x 32 x 32 on, OpenBLAS was the faster one in each of 200
 * shapes and transpositions measured (1.1 to 15 times, mostly 2, AVX-512); below, the call itself eats up what it saves.
 */
const SMALLEST_PRODUCT = 2 ** 15

const ROW_MAJOR = 101
const PLAIN = 111
const TRANSPOSED = 112

/** The kernels of one backend, with a BLAS under the large products. */
export class BlasAssist {
  /** The library, such as 'OpenBLAS 0.3.21'. */
  readonly name: string
  /** Instead of the backend's own, while the assist is on. */
  readonly kernels: KernelExports
  /** Whether any product has run in the BLAS. */
  used = false
  readonly #blas: BlasLibrary
  readonly #own: KernelExports
  readonly #heap: WasmMemory
  readonly #smallest: number
  #buffer: ArrayBufferLike | undefined
  /** Address of the memory's first byte in this process. */
  #base = 0

  /**
   * @param own - The kernels that take what the BLAS does not.
   * @param heap - The memory that both work on.
   * @param smallest - The smallest m * n * k that the BLAS takes.
   */
  constructor(blas: BlasLibrary, own: KernelExports, heap: WasmMemory, smallest = SMALLEST_PRODUCT) {
    this.name = blas.name
    this.#blas = blas
    this.#own = own
    this.#heap = heap
    this.#smallest = smallest
    const matMul = (...product: ProductArguments) => {
      if (this.takes(product)) this.#multiply(product)
      else own.matMul(...product)
    }
    this.kernels = { ...own, matMul }
  }

  /** Whether a product is one for the BLAS: large, and with rows that do not overlap, as it demands. */
  takes(product: ProductArguments): boolean {
    const [, , , , , m, n, k, transposeA, transposeB, rowStrideA, rowStrideB, rowStrideOut] = product
    return (
      m * n * k >= this.#smallest &&
      rowStrideA >= (transposeA ? m : k) &&
      rowStrideB >= (transposeB ? k : n) &&
      rowStrideOut >= n
    )
  }

  #multiply(product: ProductArguments): void {
    const [a, b, out, bias, activation, m, n, k, transposeA, transposeB, ...strides] = product
    const [rowStrideA, rowStrideB, rowStrideOut, batch, batchStrideA, batchStrideB, batchStrideOut] = strides
    const base = this.#baseAddress()
    const { sgemm } = this.#blas
    const formA = transposeA ? TRANSPOSED : PLAIN
    const formB = transposeB ? TRANSPOSED : PLAIN
    for (let i = 0; i < batch; i++) {
      const target = out + 4 * i * batchStrideOut
      const fromA = base + a + 4 * i * batchStrideA
      const fromB = base + b + 4 * i * batchStrideB
      sgemm(ROW_MAJOR, formA, formB, m, n, k, 1, fromA, rowStrideA, fromB, rowStrideB, 0, base + target, rowStrideOut)
      if (bias !== 0 || activation !== 0) this.#own.biasActivate(target, bias, activation, m, n, rowStrideOut)
    }
    this.used = true
  }

  #baseAddress(): number {
    const view = this.#heap.bytes
    if (view.buffer !== this.#buffer) {
      this.#buffer = view.buffer
      this.#base = this.#blas.addressOf(view)
    }
    return this.#base
  }
}
