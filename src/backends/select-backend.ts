/**
 * Chooses the backend that tfjs computes with.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import { BackendUnavailableError, ConfigError, withDefaults } from '../core/index.js'
import {
  type BackendName,
  type BackendReport,
  backendNameOf,
  backendNames,
  namedOnly,
  softwareGpu,
  tfjsNameOf,
} from './backend-report.js'
import { probeBackend } from './probes.js'
import { setUpTfjs } from './tfjs-setup.js'
import { throwDeviceErrors } from './webgpu/mend-webgpu.js'

/** Which backends to try. */
export interface SelectBackendOptions {
  /**
   * Backends in order of preference; no other is tried.
   * @default all, as `listBackends` orders them, but neither cuda nor a GPU that the processor plays ('software')
   */
  prefer?: BackendName[]
}

let selected: BackendReport | undefined
let selecting: Promise<BackendReport> | undefined

/**
 * Every backend in order of preference, with the reason why it is not available.
 *
 * @example
 * for (const { name, available, reason } of await listBackends()) console.log(name, available ? 'yes' : reason)
 */
export async function listBackends(): Promise<BackendReport[]> {
  const reports: BackendReport[] = []
  // One after the other: registering in tfjs is global, and so is the backend that a package may set as it loads.
  for (const name of backendNames) reports.push(await probeBackend(name))
  return reports
}

/**
 * Takes the first backend that works and sets it in tfjs.
 *
 * It also brings tfjs-core to what training needs: chained methods and missing gradients.
 *
 * @returns What was chosen.
 * @throws {BackendUnavailableError} if none works; it says what is missing and how to get it.
 * @throws {ConfigError} if a name is not one of a backend.
 * @example
 * const { name, features } = await selectBackend({ prefer: ['webgl', 'wasm'] })
 */
export async function selectBackend(options: SelectBackendOptions = {}): Promise<BackendReport> {
  const { prefer } = withDefaults('selectBackend', options, { prefer: undefined })
  const names = prefer ?? backendNames.filter((name) => !namedOnly.includes(name))
  for (const name of names)
    if (!backendNames.includes(name))
      throw new ConfigError('There is no such backend.', {
        expected: `one of ${backendNames.join(', ')}`,
        received: name,
      })
  await setUpTfjs()
  const failures: BackendReport[] = []
  for (const name of names) {
    const report = await probeBackend(name)
    if (!report.available) {
      failures.push(report)
      continue
    }
    if (prefer === undefined && report.features.includes(softwareGpu)) continue
    if (await tf.setBackend(tfjsNameOf(name))) {
      await tf.ready()
      if (name === 'webgpu') throwDeviceErrors(tf.backend())
      selected = report
      return report
    }
    failures.push({ name, available: false, reason: 'tfjs could not start it.', features: [] })
  }
  const [only] = failures
  throw new BackendUnavailableError(
    failures.length === 1 ? `The backend ${only!.name} is not available.` : 'No backend is available.',
    {
      received: failures.map(({ name, reason }) => `${name}: ${reason}`).join(' '),
      remedy: "Mend what is missing, or leave out 'prefer' to take the first backend that works",
    },
  )
}

/**
 * The backend in use; chooses one when nobody has.
 *
 * A backend that tfjs uses already, because the user set it or ran something, stays, so that tensors which exist need
 * not move; it only gets the set-up that training needs.
 */
export async function ensureBackend(): Promise<BackendReport> {
  const current = currentBackend()
  if (current !== undefined) return current
  selecting ??= adoptOrSelect().finally(() => {
    selecting = undefined
  })
  return selecting
}

/** The backend in use, or undefined when none was chosen through dcml or tfjs has another by now. */
export function currentBackend(): BackendReport | undefined {
  if (selected === undefined) return undefined
  return tf.engine().backendName === tfjsNameOf(selected.name) ? selected : undefined
}

async function adoptOrSelect(): Promise<BackendReport> {
  // `backendName` is set once somebody chose or used a backend; reading tf.getBackend() would choose one.
  const inUse = tf.engine().backendName
  const name = inUse ? backendNameOf(inUse) : undefined
  return selectBackend(name === undefined ? {} : { prefer: [name] })
}
