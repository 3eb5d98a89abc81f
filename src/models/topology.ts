/** Models as tfjs' topology JSON. @module */

import * as tfl from '@tensorflow/tfjs-layers'
import { ConfigError, describe } from '../core/index.js'
import { registerMultiHeadAttention } from './multi-head-attention.js'

/** The layers of a model as text; no weights. */
export function serializeTopology(model: tfl.LayersModel): string {
  // toJSON's second argument asks for text; the cast is tfjs' own signature.
  return model.toJSON(undefined, true) as unknown as string
}

/**
 * Builds a model, with fresh weights, from its topology.
 *
 * @throws {ConfigError} if a layer's class is not registered here.
 */
export async function modelFromTopology(topology: string): Promise<tfl.LayersModel> {
  registerMultiHeadAttention()
  try {
    const parsed: unknown = JSON.parse(topology)
    return await tfl.models.modelFromJSON((typeof parsed === 'string' ? JSON.parse(parsed) : parsed) as never)
  } catch (cause) {
    throw new ConfigError(
      `The model cannot be rebuilt from its topology: ${cause instanceof Error ? cause.message : describe(cause)}`,
      {
        cause,
        remedy: 'Register custom layers with tf.serialization.registerClass in the module that you pass as setup',
      },
    )
  }
}
