/**
 * Native libraries that help the wasm backend, when the user asks for it.
 * @module
 */

import { BackendUnavailableError, ConfigError } from '../../core/index.js'
import { activeWasmBackend } from '../wasm/register.js'
import type { BlasAssist } from './blas-assist.js'

/** What can help: a BLAS computes large matrix products. */
export type AssistName = 'blas'

/** Whether an assist works here, and why not. */
export interface AssistReport {
  name: AssistName
  available: boolean
  /** The library found, such as 'OpenBLAS 0.3.21'. */
  library?: string
  /** Why it is unavailable, and how to get it. */
  reason?: string
}

/**
 * Every assist, with the reason why it is not available.
 *
 * @example
 * for (const { name, library, reason } of await listAssists()) console.log(name, library ?? reason)
 */
export async function listAssists(): Promise<AssistReport[]> {
  const { findBlas } = await import('./blas-library.js')
  const found = await findBlas()
  return [
    'library' in found
      ? { name: 'blas', available: true, library: found.library.name }
      : { name: 'blas', available: false, reason: found.reason },
  ]
}

/**
 * Brings an assist to the backend in use. It helps where `withAssist` says so.
 *
 * @throws {BackendUnavailableError} if something that it needs is missing here.
 * @throws {ConfigError} if there is no assist of that name, or the variable DCML_BLAS_SMALLEST is no number.
 */
export async function loadAssist(name: AssistName): Promise<BlasAssist> {
  if (name !== 'blas') throw new ConfigError('There is no such assist.', { expected: "'blas'", received: name })
  const backend = activeWasmBackend()
  if (!backend)
    throw new BackendUnavailableError("The assist 'blas' helps the wasm backend alone.", {
      remedy: "Call selectBackend({ prefer: ['wasm'] }) first, or leave out the assist",
    })
  // Only now: nobody who does not ask for it loads any of it.
  const [{ findBlas }, { BlasAssist }] = await Promise.all([import('./blas-library.js'), import('./blas-assist.js')])
  const found = await findBlas()
  if ('reason' in found)
    throw new BackendUnavailableError("The assist 'blas' is not available.", { remedy: found.reason })
  return new BlasAssist(found.library, backend.kernels, backend.heap, smallestProduct())
}

/** What the user set for a machine that is not like those measured; undefined for nothing. */
function smallestProduct(): number | undefined {
  const text = process.env.DCML_BLAS_SMALLEST
  if (!text) return undefined
  const value = Number(text)
  if (value >= 0) return value
  throw new ConfigError('The variable DCML_BLAS_SMALLEST is out of range.', {
    expected: 'the smallest m * n * k of a product that is to run in the BLAS',
    received: text,
  })
}

/** Runs a function; what it computes before it first waits gets the assist, if there is one. */
export function withAssist<T>(assist: BlasAssist | undefined, run: () => T): T {
  return assist ? activeWasmBackend()!.assisted(assist, run) : run()
}
