/**
 * The table of dcml-wasm's own kernels.
 * @module
 */

import type * as tf from '@tensorflow/tfjs-core'
import type { KernelExports } from '../exports.js'
import { binaryKernels, compareKernels } from './binary.js'
import { complexKernels } from './complex.js'
import { matMulKernels } from './matmul.js'
import { shapeKernels } from './shape.js'
import { classifyKernels, unaryKernels } from './unary.js'

const groups = [
  shapeKernels,
  complexKernels,
  matMulKernels,
  unaryKernels,
  classifyKernels,
  binaryKernels,
  compareKernels,
]

/** Every kernel that dcml-wasm can compute itself with what the module exports. */
export function ownKernels(wasm: KernelExports): Pick<tf.KernelConfig, 'kernelName' | 'kernelFunc'>[] {
  return groups.filter(({ needs }) => needs.every((name) => name in wasm)).flatMap(({ kernels }) => kernels)
}
