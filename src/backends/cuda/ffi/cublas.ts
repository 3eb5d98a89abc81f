/**
 * cuBLAS: products of matrices.
 *
 * @see https://docs.nvidia.com/cuda/cublas/
 * @module
 */

import { DcmlError, type NativeLibrary } from '../../../core/index.js'
import { NativeCalls } from './native-calls.js'

/** C types of parameters. */
export const cublasPrototypes = {
  cublasCreate_v2: 'void *handle',
  cublasDestroy_v2: 'uintptr_t handle',
  cublasGetVersion_v2: 'uintptr_t handle, void *version',
  cublasSetStream_v2: 'uintptr_t handle, uintptr_t stream',
  cublasSetWorkspace_v2: 'uintptr_t handle, uintptr_t workspace, size_t bytes',
  cublasGemmStridedBatchedEx:
    'uintptr_t handle, int transposeA, int transposeB, int m, int n, int k, const void *alpha, ' +
    'uintptr_t a, int typeA, int rowStrideA, int64_t strideA, uintptr_t b, int typeB, int rowStrideB, int64_t strideB, ' +
    'const void *beta, uintptr_t c, int typeC, int rowStrideC, int64_t strideC, int batch, int computeType, int algorithm',
  cublasGemmBatchedEx:
    'uintptr_t handle, int transposeA, int transposeB, int m, int n, int k, const void *alpha, ' +
    'uintptr_t a, int typeA, int rowStrideA, uintptr_t b, int typeB, int rowStrideB, ' +
    'const void *beta, uintptr_t c, int typeC, int rowStrideC, int batch, int computeType, int algorithm',
} as const

/**
 * In what precision products are computed; sums are always float32.
 *
 * - float32: all bits of both operands.
 * - tf32: operands rounded to 10 bits after the point.
 * - bfloat16: operands lie in memory as bfloat16, with 7 bits after the point.
 */
export type ProductPrecision = 'float32' | 'tf32' | 'bfloat16'

/** Values of `cublas_api.h` and `library_types.h`, by their names there. */
export const cublasValues = {
  CUBLAS_COMPUTE_32F: 68,
  CUBLAS_COMPUTE_32F_FAST_TF32: 77,
  CUDA_R_32F: 0,
  CUDA_R_16BF: 14,
  CUBLAS_OP_N: 0,
  CUBLAS_OP_T: 1,
  CUBLAS_GEMM_DEFAULT: -1,
} as const

const computeTypes: Record<ProductPrecision, number> = {
  float32: cublasValues.CUBLAS_COMPUTE_32F,
  tf32: cublasValues.CUBLAS_COMPUTE_32F_FAST_TF32,
  bfloat16: cublasValues.CUBLAS_COMPUTE_32F,
}

const operandTypes: Record<ProductPrecision, number> = {
  float32: cublasValues.CUDA_R_32F,
  tf32: cublasValues.CUDA_R_32F,
  bfloat16: cublasValues.CUDA_R_16BF,
}

const statusNames: Readonly<Record<number, string>> = {
  1: 'not initialized',
  3: 'out of memory',
  7: 'invalid value',
  8: 'not supported by this GPU',
  13: 'execution failed',
  14: 'internal error',
  15: 'not supported',
}

/** Row-major out[i] = op(a[i]) op(b[i]) + beta out[i], op = transpose where the flag is set; i counts the batch. */
interface Products {
  /** op(a) is `[m, k]`, op(b) `[k, n]`, out `[m, n]`. */
  readonly m: number
  readonly n: number
  readonly k: number
  readonly transposeA: boolean
  readonly transposeB: boolean
  /** Elements from row to row, of the matrices as they are stored. */
  readonly rowStrideA: number
  readonly rowStrideB: number
  readonly rowStrideOut: number
  readonly batch: number
  /** 0: out is overwritten; 1: added to. */
  readonly beta: number
}

/** Products of matrices that lie at equal distances. */
export interface Product extends Products {
  readonly a: number
  readonly b: number
  readonly out: number
  /** Elements from matrix to matrix; 0: the same one for each. */
  readonly batchStrideA: number
  readonly batchStrideB: number
  readonly batchStrideOut: number
}

/** Products of matrices anywhere: tables of their addresses, in memory of the GPU; addresses are multiples of 16. */
export interface TableProduct extends Products {
  readonly tableA: number
  readonly tableB: number
  readonly tableOut: number
  /** Where the range begins that all results lie in. */
  readonly out: number
}

/** cuBLAS on one stream. */
export class Cublas {
  /** Such as '13.0.2'. */
  readonly version: string
  readonly #calls: NativeCalls<keyof typeof cublasPrototypes>
  readonly #handle: number
  readonly #one = Float32Array.of(1)
  readonly #beta = new Float32Array(1)

  /** @param workspace - Memory for its own use; it would allocate some while a step is captured otherwise. */
  constructor(library: NativeLibrary, stream: number, workspace: { pointer: number; bytes: number }) {
    const fail = (name: keyof typeof cublasPrototypes, code: number) =>
      new DcmlError(`${name} failed: ${statusNames[code] ?? 'unknown'} (status ${code})`)
    this.#calls = new NativeCalls(library, cublasPrototypes, fail)
    this.#handle = this.#calls.handle('cublasCreate_v2')
    const version = new Int32Array(1)
    this.#calls.call('cublasGetVersion_v2', this.#handle, version)
    this.version = versionText(version[0]!)
    this.#calls.call('cublasSetStream_v2', this.#handle, stream)
    // After the stream: setting that takes the workspace away.
    this.#calls.call('cublasSetWorkspace_v2', this.#handle, workspace.pointer, workspace.bytes)
  }

  close(): void {
    this.#calls.call('cublasDestroy_v2', this.#handle)
  }

  /** Starts products on the stream. */
  multiply(product: Product, precision: ProductPrecision): void {
    const type = operandTypes[precision]
    this.#start('cublasGemmStridedBatchedEx', product, precision, {
      a: [product.a, type, product.rowStrideA, product.batchStrideA],
      b: [product.b, type, product.rowStrideB, product.batchStrideB],
      out: [product.out, cublasValues.CUDA_R_32F, product.rowStrideOut, product.batchStrideOut],
    })
  }

  /** As `multiply`, by tables. */
  multiplyByTables(product: TableProduct, precision: ProductPrecision): void {
    const type = operandTypes[precision]
    this.#start('cublasGemmBatchedEx', product, precision, {
      a: [product.tableA, type, product.rowStrideA],
      b: [product.tableB, type, product.rowStrideB],
      out: [product.tableOut, cublasValues.CUDA_R_32F, product.rowStrideOut],
    })
  }

  /** cuBLAS is column-major: it computes the transpose, op(b)^T op(a)^T. */
  #start(
    name: 'cublasGemmStridedBatchedEx' | 'cublasGemmBatchedEx',
    { m, n, k, transposeA, transposeB, batch, beta }: Products,
    precision: ProductPrecision,
    { a, b, out }: Record<'a' | 'b' | 'out', readonly number[]>,
  ): void {
    const [opA, opB] = [transposeA, transposeB].map((is) => (is ? cublasValues.CUBLAS_OP_T : cublasValues.CUBLAS_OP_N))
    this.#beta[0] = beta
    const last = [batch, computeTypes[precision], cublasValues.CUBLAS_GEMM_DEFAULT]
    this.#calls.call(name, this.#handle, opB, opA, n, m, k, this.#one, ...b, ...a, this.#beta, ...out, ...last)
  }
}

/** 130002 as '13.0.2', 120806 as '12.8.6'. */
function versionText(version: number): string {
  return `${Math.floor(version / 10000)}.${Math.floor((version % 10000) / 100)}.${version % 100}`
}
