/**
 * The table of dcml-wasm's own kernels.
 * @module
 */

import type * as tf from '@tensorflow/tfjs-core'
import type { KernelExports } from '../exports.js'
import { binaryKernels, compareKernels } from './binary.js'
import { complexKernels } from './complex.js'
import { convKernels, depthwiseKernels } from './conv.js'
import { conv3dKernels } from './conv3d.js'
import { cumulativeKernels } from './cumulative.js'
import { einsumKernels } from './einsum.js'
import { fillKernels } from './fill.js'
import { gatherKernels } from './gather.js'
import { matMulKernels } from './matmul.js'
import { normalizeKernels } from './normalize.js'
import { poolKernels } from './pool.js'
import { randomFallback, randomKernels } from './random.js'
import { reduceKernels, softmaxKernels, truthKernels } from './reduce.js'
import { resizeKernels } from './resize.js'
import { padKernels, rowKernels } from './rows.js'
import { shapeKernels } from './shape.js'
import { transposeKernels } from './transpose.js'
import { classifyKernels, unaryKernels } from './unary.js'

const groups = [
  ...[shapeKernels, complexKernels, fillKernels, unaryKernels, classifyKernels, binaryKernels, compareKernels],
  ...[matMulKernels, convKernels, depthwiseKernels, poolKernels, reduceKernels, truthKernels, softmaxKernels],
  ...[transposeKernels, rowKernels, padKernels, gatherKernels, normalizeKernels, randomFallback, randomKernels],
  ...[conv3dKernels, cumulativeKernels, einsumKernels, resizeKernels],
]

/** Every kernel that dcml-wasm can compute itself with what the module exports. */
export function ownKernels(wasm: KernelExports): Pick<tf.KernelConfig, 'kernelName' | 'kernelFunc'>[] {
  const usable = groups.filter(({ needs }) => needs.every((name) => name in wasm))
  const byName = new Map(usable.flatMap(({ kernels }) => kernels.map((kernel) => [kernel.kernelName, kernel] as const)))
  return [...byName.values()]
}
