/** Products of matrices, on cuBLAS. @module */

import * as tf from '@tensorflow/tfjs-core'
import { ConfigError } from '../../../core/index.js'
import type { TensorKernels } from '../../device-backend.js'
import { placeKey } from '../../elementwise-calls.js'
import { dtypeCodes } from '../../wasm/exports.js'
import type { ProgramCallName } from '../../wasm/program/call-table.js'
import type { ProgramCall } from '../../wasm/program/recorder.js'
import type { CudaDevice } from '../cuda-device.js'
import type { Product, ProductPrecision } from '../ffi/cublas.js'
import { biasActivate } from './elementwise.js'
import type { Launch } from './kernel-module.js'

/** The flag of tfjs that says in what precision products and convolutions are computed. */
const PRECISION_FLAG = 'DCML_CUDA_PRODUCTS'

const precisions: readonly ProductPrecision[] = ['float32', 'tf32', 'bfloat16']

/** Compute capability, times 10, of the first GPUs whose tensor cores take bfloat16. */
const BFLOAT16_CAPABILITY = 80

/** Makes the flag known: `tf.env().set('DCML_CUDA_PRODUCTS', 'tf32')`. */
export function registerPrecisionFlag(): void {
  tf.env().registerFlag(
    PRECISION_FLAG,
    () => 'float32' as unknown as number,
    (value) => {
      if (precisions.includes(value as unknown as ProductPrecision)) return
      throw new ConfigError(`The flag ${PRECISION_FLAG} is none of those that there are.`, {
        expected: `one of ${precisions.join(', ')}`,
        received: value,
      })
    },
  )
}

/** The precision that the flag says; float32 where the GPU is older than bfloat16. */
export function precisionOf({ capability }: CudaDevice): ProductPrecision {
  const wanted = tf.env().getString(PRECISION_FLAG) as ProductPrecision
  return wanted === 'bfloat16' && capability < BFLOAT16_CAPABILITY ? 'float32' : wanted
}

/** Which arguments of calls are operands that a product reads as they are, so that a copy as bfloat16 is of use. */
const operandArguments: Partial<Record<ProgramCallName, readonly number[]>> = {
  matMul: [0, 1],
  conv2d: [1],
  conv2dInputGrad: [0, 1],
  conv2dFilterGrad: [1],
  attention: [0, 1, 2],
  attentionGrad: [0, 1, 2, 3],
}

/** The places that products read copies of, if the precision has copies; `placeKey` of each. */
export function placesOfCopies(device: CudaDevice, calls: readonly ProgramCall[]): ReadonlySet<string> {
  if (precisionOf(device) !== 'bfloat16') return new Set()
  return new Set(
    calls.flatMap(({ name, places }) => (operandArguments[name] ?? []).map((i) => placeKey(places.get(i)!))),
  )
}

/** A product of row-major matrices without gaps, one by one. */
export interface PlainProduct {
  readonly a: number
  readonly b: number
  readonly out: number
  readonly m: number
  readonly n: number
  readonly k: number
  readonly transposeA?: boolean
  readonly transposeB?: boolean
  /** Added to what is there instead of overwriting it. */
  readonly accumulate?: boolean
}

/**
 * Computes a product in the precision that the flag says.
 *
 * @param isRounded - Whether a lies in memory as that precision has it; b is float32 in any case.
 */
export function multiply(device: CudaDevice, product: PlainProduct, isRounded = false): void {
  const { m, n, k, transposeA = false, transposeB = false, accumulate = false } = product
  const strides = { rowStrideA: transposeA ? m : k, rowStrideB: transposeB ? k : n, rowStrideOut: n }
  const single = { batch: 1, batchStrideA: 0, batchStrideB: 0, batchStrideOut: 0 }
  start(device, { ...product, transposeA, transposeB, ...strides, ...single, beta: accumulate ? 1 : 0 }, isRounded)
}

function start(device: CudaDevice, product: Product, isRounded = false): void {
  const precision = precisionOf(device)
  if (precision !== 'bfloat16') {
    device.multiply(product, precision)
    return
  }
  const { a, b, m, n, k, transposeA, transposeB, batch } = product
  const lengthOf = (rows: number, columns: number, rowStride: number, batchStride: number) =>
    (batch - 1) * batchStride + (rows - 1) * rowStride + columns
  const lengthB = lengthOf(transposeB ? n : k, transposeB ? k : n, product.rowStrideB, product.batchStrideB)
  const operandB = [b, lengthB] as const
  if (isRounded) {
    device.copies.use([operandB], (copyB) => device.multiply({ ...product, b: copyB! }, precision))
    return
  }
  const lengthA = lengthOf(transposeA ? k : m, transposeA ? m : k, product.rowStrideA, product.batchStrideA)
  device.copies.use([[a, lengthA], operandB], (copyA, copyB) =>
    device.multiply({ ...product, a: copyA!, b: copyB! }, precision),
  )
}

export const productKernels = (
  device: CudaDevice,
  launch: Launch,
  fill: TensorKernels['fill'],
): Pick<TensorKernels, 'matMul'> => ({
  matMul(a, b, out, bias, activation, m, n, k, transposeA, transposeB, ...strides) {
    const [rowStrideA, rowStrideB, rowStrideOut, batch, batchStrideA, batchStrideB, batchStrideOut] = strides
    if (batch * m * n === 0) return
    // cuBLAS refuses rows without elements.
    if (k === 0) {
      for (let i = 0; i < batch; i++)
        for (let row = 0; row < m; row++)
          fill(dtypeCodes.float32, out + 4 * (i * batchStrideOut + row * rowStrideOut), n, 0)
    } else {
      const operands = { a, b, out, m, n, k, transposeA: transposeA === 1, transposeB: transposeB === 1, beta: 0 }
      const layout = { rowStrideA, rowStrideB, rowStrideOut, batch, batchStrideA, batchStrideB, batchStrideOut }
      start(device, { ...operands, ...layout })
    }
    const isOne = batchStrideOut === m * rowStrideOut
    const rows = isOne ? batch * m : m
    for (let i = 0; i < (isOne ? 1 : batch); i++)
      biasActivate(launch, [out + 4 * i * batchStrideOut, bias, activation, rows * n, n], rowStrideOut)
  },
})
