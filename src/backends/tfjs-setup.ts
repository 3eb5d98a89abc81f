/**
 * Brings tfjs-core, imported by itself, to what training needs: chained methods and gradients.
 * @module
 */

import { registerChainedOps } from './chained-ops.js'
import { registerGradients } from './gradients/index.js'
import { registerRandomKernel } from './random-tensor.js'

/** Registers what is missing; cheap when called again. */
export async function setUpTfjs(): Promise<void> {
  registerChainedOps()
  // tfjs-core by itself registers no gradients; tfjs-layers, which this loads, registers all of tfjs' own. It comes
  // first in any case: loaded later, it would put the ones that dcml corrects back in place.
  const { correctDilatedLayers } = await import('./dilated-layers.js')
  correctDilatedLayers()
  const { speedUpLayerNormalization } = await import('./layer-norm.js')
  speedUpLayerNormalization()
  const { speedUpBatchNormalization } = await import('./batch-norm-layer.js')
  speedUpBatchNormalization()
  const { speedUpRecurrentCells } = await import('./recurrent-cells.js')
  speedUpRecurrentCells()
  const { speedUpGelu } = await import('./gelu-activations.js')
  speedUpGelu()
  registerGradients()
  registerRandomKernel()
}
