/**
 * A trained model at rest: topology, weights, and what prepares its input.
 *
 * `model.json` is tfjs' topology, `model.safetensors` the weights, `preprocessor.json` the fitted preprocessor (absent
 * when there is none), `dcml.json` the version of this layout.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import type * as tfl from '@tensorflow/tfjs-layers'
import { StorageError, type TypedArray } from '../core/index.js'
import type { Store } from '../storage/index.js'
import { namedWeights } from './named-weights.js'
import { decodeSafetensors, encodeSafetensors, type TensorFile } from './safetensors.js'
import { modelFromTopology, serializeTopology } from './topology.js'

const VERSION = 1

/** What a bundle holds. */
export interface Bundle {
  model: tfl.LayersModel
  /** The fitted preprocessor as JSON. */
  preprocessor?: unknown
}

/** Writes a bundle under a prefix. */
export async function saveBundle(store: Store, { model, preprocessor }: Bundle, prefix = ''): Promise<void> {
  const weights: TensorFile = {}
  for (const { name, variable } of namedWeights(model))
    weights[name] = { data: (await variable.data()).slice() as TypedArray, shape: variable.shape }
  await store.write(`${prefix}model.safetensors`, encodeSafetensors(weights, { format: 'tfjs-layers' }))
  const topology: unknown = JSON.parse(serializeTopology(model))
  await writeJson(store, `${prefix}model.json`, {
    format: 'layers-model',
    modelTopology: typeof topology === 'string' ? JSON.parse(topology) : topology,
  })
  if (preprocessor === undefined) await store.remove(`${prefix}preprocessor.json`)
  else await writeJson(store, `${prefix}preprocessor.json`, preprocessor)
  // Last, so that a bundle that was cut off is not taken for a whole one.
  await writeJson(store, `${prefix}dcml.json`, { format: 'dcml-bundle', version: VERSION })
}

/**
 * Reads a bundle.
 *
 * @throws {StorageError} if a part is missing, damaged, or of another version.
 */
export async function loadBundle(store: Store, prefix = ''): Promise<Bundle> {
  const { version } = (await readJson(store, `${prefix}dcml.json`)) as { version?: number }
  if (version !== VERSION)
    throw new StorageError('The saved model has a layout that this version does not read.', {
      expected: VERSION,
      received: version,
    })
  const { modelTopology } = (await readJson(store, `${prefix}model.json`)) as { modelTopology: unknown }
  const model = await modelFromTopology(JSON.stringify(modelTopology))
  const { tensors } = decodeSafetensors(await store.read(`${prefix}model.safetensors`))
  for (const { name, shape, variable } of namedWeights(model)) {
    const saved = tensors[name]
    if (!saved || String(saved.shape) !== String(shape))
      throw new StorageError(`The weights of '${name}' do not fit the model.`, {
        expected: JSON.stringify(shape),
        received: saved ? JSON.stringify(saved.shape) : 'none',
      })
    const tensor = tf.tensor(saved.data as Float32Array, shape, variable.dtype as 'float32')
    variable.assign(tensor)
    tensor.dispose()
  }
  const names = await store.list(`${prefix}preprocessor.json`)
  if (names.length === 0) return { model }
  return { model, preprocessor: await readJson(store, `${prefix}preprocessor.json`) }
}

const writeJson = (store: Store, name: string, value: unknown) =>
  store.write(name, new TextEncoder().encode(JSON.stringify(value)))

async function readJson(store: Store, name: string): Promise<unknown> {
  const bytes = await store.read(name)
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch (cause) {
    throw new StorageError(`'${name}' is not JSON.`, { cause })
  }
}
