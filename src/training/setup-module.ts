/** The module that a user gives as `setup`: custom layers, and models, losses and steps by name. @module */

import * as tfl from '@tensorflow/tfjs-layers'
import { ConfigError } from '../core/index.js'
import type { CustomStep, LossFunction } from './batch-loss.js'
import type { TrainingJob } from './job.js'

/** Exports of a setup module by name; empty without one. */
export type SetupExports = Record<string, unknown>

/** Loads the module. Loading it registers its custom layers. */
export async function loadSetup(address: string | undefined): Promise<SetupExports> {
  if (address === undefined) return {}
  try {
    return (await import(/* @vite-ignore */ address)) as SetupExports
  } catch (cause) {
    throw new ConfigError(`The setup module cannot be loaded: ${cause instanceof Error ? cause.message : cause}`, {
      received: address,
      remedy: "Pass new URL('./layers.js', import.meta.url)",
      cause,
    })
  }
}

/** A function that makes a model. */
export type ModelMaker = () => tfl.LayersModel | Promise<tfl.LayersModel>

/** The model itself, what a function makes, or what the setup module exports under a name or makes. */
export async function makeModel(
  from: tfl.LayersModel | ModelMaker | string,
  exports: SetupExports,
): Promise<tfl.LayersModel> {
  const source = typeof from === 'string' ? requireExport(exports, from, 'model') : from
  const model: unknown = typeof source === 'function' ? await source() : source
  if (model instanceof tfl.LayersModel) return model
  const what = typeof from === 'string' ? `The export '${from}' of the setup module` : 'What was given as model'
  throw new ConfigError(`${what} is not a model.`, {
    expected: 'a LayersModel, or a function that returns one',
    received: model,
  })
}

/** The custom step or loss that a job names, when it is an export of the setup module. */
export function functionsFromSetup(
  exports: SetupExports,
  job: Pick<TrainingJob, 'step' | 'loss'>,
): { step?: CustomStep; loss?: LossFunction } {
  if (job.step !== undefined) return { step: functionOfSetup(exports, job.step, 'step') as CustomStep }
  if (job.loss !== undefined && job.loss in exports)
    return { loss: functionOfSetup(exports, job.loss, 'loss') as LossFunction }
  return {}
}

/** @throws {ConfigError} if the module exports no function of that name. */
export function functionOfSetup(exports: SetupExports, name: string, what: string): unknown {
  const exported = requireExport(exports, name, what)
  if (typeof exported === 'function') return exported
  throw new ConfigError(`The export '${name}' of the setup module is not a function.`, { received: exported })
}

function requireExport(exports: SetupExports, name: string, what: string): unknown {
  if (name in exports) return exports[name]
  throw new ConfigError(`The ${what} '${name}' is not an export of the setup module.`, {
    expected: Object.keys(exports).length > 0 ? `one of ${Object.keys(exports).join(', ')}` : 'a setup module',
    received: name,
  })
}
