/**
 * Registers the gradients that training needs and tfjs 4.22 lacks or gets wrong.
 *
 * Gradients are global in tfjs, not per backend, so each is composed of tfjs operations and serves all of them.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import { attentionGradient } from '../attention.js'
import { batchNormTrainingGradient } from '../batch-norm.js'
import { geluGradient } from '../gelu.js'
import { crossEntropyGradient } from '../softmax-cross-entropy.js'
import { cumprodGradient, cumsumGradient } from './cumulative.js'
import { conv2dGradient, depthwiseConv2dGradient } from './dilated-convolution.js'
import { einsumGradient } from './einsum.js'
import { gatherNdGradient, scatterNdGradient, topKGradient } from './gather-nd.js'
import { depthToSpaceGradient, stridedSliceGradient, unpackGradient } from './rearrange.js'
import { recurrentGradients } from './recurrent.js'
import { repeatedGradients } from './repeated.js'
import { tileGradient } from './tile.js'
import { zeroGradients } from './zero.js'

/** Gradients that dcml puts in place of tfjs' own, which throw, are wrong or take too long in some cases. */
const corrections: readonly tf.GradConfig[] = [
  cumsumGradient,
  conv2dGradient,
  depthwiseConv2dGradient,
  tileGradient,
  unpackGradient,
]

/** Gradients that tfjs has not. */
const additions: readonly tf.GradConfig[] = [
  einsumGradient,
  stridedSliceGradient,
  gatherNdGradient,
  scatterNdGradient,
  topKGradient,
  cumprodGradient,
  depthToSpaceGradient,
  crossEntropyGradient,
  attentionGradient,
  geluGradient,
  batchNormTrainingGradient,
  ...recurrentGradients,
  ...zeroGradients,
]

/** Registers all gradients of this folder. Additions give way to what is registered already. */
export function registerGradients(): void {
  for (const config of [...corrections, ...repeatedGradients()]) {
    if (tf.getGradient(config.kernelName) === config) continue
    // tfjs warns about a second registration unless the first is taken away.
    if (tf.getGradient(config.kernelName) !== undefined) tf.unregisterGradient(config.kernelName)
    tf.registerGradient(config)
  }
  for (const config of additions) if (tf.getGradient(config.kernelName) === undefined) tf.registerGradient(config)
}
