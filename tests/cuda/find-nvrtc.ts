import { loadLibrary } from '../../src/backends/cuda/ffi/libraries.js'
import { Nvrtc } from '../../src/backends/cuda/ffi/nvrtc.js'
import { thisMachine } from '../../src/backends/cuda/ffi/places.js'
import { loadKoffi } from '../../src/core/index.js'

/** NVIDIA's run-time compiler, or why there is none. */
export async function findNvrtc(): Promise<{ nvrtc: Nvrtc } | { reason: string }> {
  const loaded = await loadKoffi()
  if ('reason' in loaded) return loaded
  try {
    return { nvrtc: new Nvrtc(loadLibrary(loaded.koffi, 'nvrtc', thisMachine()).library) }
  } catch (error) {
    return { reason: (error as Error).message }
  }
}

/** Options: no warning, and no value that has to leave the registers for memory. */
export const strict = ['--ptxas-options=--warn-on-spills', '--ptxas-options=--warning-as-error']
