/** Counts what a training asks the stand-in for the driver to do. */

import { loadLibrary } from '../../src/backends/cuda/ffi/libraries.js'
import { thisMachine } from '../../src/backends/cuda/ffi/places.js'
import { loadKoffi } from '../../src/core/index.js'

/** What a meter counts: calls of the driver, and bytes that were copied. */
export const driverCounts = [
  'launches',
  'graph launches',
  'uploads',
  'uploaded bytes',
  'downloads',
  'downloaded bytes',
  'waits',
  'allocations',
  'managed allocations',
] as const

/** Counts of calls of the driver, by name. */
export type DriverCounts = Record<(typeof driverCounts)[number], number>

/**
 * Counts what the stand-in is asked for: `counts` since this process began, `bytesInUse` at this moment, by this thread;
 * `held`, what all threads hold now: ranges of memory, contexts, streams, handles, modules, graphs.
 */
export async function driverMeter(): Promise<{ counts(): DriverCounts; bytesInUse(): number; held(): number }> {
  const loaded = await loadKoffi()
  if ('reason' in loaded) throw new Error(loaded.reason)
  const { library } = loadLibrary(loaded.koffi, 'driver', thisMachine())
  const ask = library.func('int standInCount(const char *what, void *count)')
  const count = (what: string) => {
    const out = new Float64Array(1)
    ask(what, out)
    return out[0]!
  }
  return {
    counts: () => Object.fromEntries(driverCounts.map((name) => [name, count(name)])) as DriverCounts,
    bytesInUse: () => count('bytes'),
    held: () => count('held'),
  }
}
