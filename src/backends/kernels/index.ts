/**
 * The table of kernels that dcml's own backends share.
 * @module
 */

import { attentionKernels } from './attention.js'
import { binaryKernels, compareKernels } from './binary.js'
import { complexKernels } from './complex.js'
import { convKernels, depthwiseKernels } from './conv.js'
import { conv3dKernels } from './conv3d.js'
import { crossEntropyKernels } from './cross-entropy.js'
import { cumulativeKernels } from './cumulative.js'
import type { OwnKernel } from './define.js'
import { einsumKernels } from './einsum.js'
import { fillKernels } from './fill.js'
import { gatherKernels } from './gather.js'
import { geluKernels } from './gelu.js'
import { layerNormKernels } from './layer-norm.js'
import { matMulKernels } from './matmul.js'
import { normalizeKernels } from './normalize.js'
import { poolKernels } from './pool.js'
import { pool3dKernels } from './pool3d.js'
import { randomKernels } from './random.js'
import { recurrentKernels } from './recurrent.js'
import { reduceKernels, softmaxKernels, truthKernels } from './reduce.js'
import { resizeKernels } from './resize.js'
import { padKernels, rowKernels } from './rows.js'
import { shapeKernels } from './shape.js'
import { transposeKernels } from './transpose.js'
import { classifyKernels, unaryKernels } from './unary.js'

/** Kernels of tfjs and of dcml, made of `TensorKernels`. */
export const sharedKernels: readonly OwnKernel[] = [
  ...[shapeKernels, complexKernels, fillKernels, unaryKernels, classifyKernels, binaryKernels, compareKernels],
  ...[matMulKernels, convKernels, depthwiseKernels, poolKernels, reduceKernels, truthKernels, softmaxKernels],
  ...[transposeKernels, rowKernels, padKernels, gatherKernels, normalizeKernels, randomKernels],
  ...[conv3dKernels, cumulativeKernels, einsumKernels, crossEntropyKernels, layerNormKernels],
  ...[recurrentKernels, geluKernels, attentionKernels, pool3dKernels, resizeKernels],
].flat()
