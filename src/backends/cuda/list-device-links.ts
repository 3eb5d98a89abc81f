/** Which links between GPUs there are on this machine. @module */

import { loadKoffi } from '../../core/index.js'
import { loadLibrary } from './ffi/libraries.js'
import { Nccl } from './ffi/nccl.js'
import { thisMachine } from './ffi/places.js'

/** What carries sums from GPU to GPU, where workers have one each. */
export interface DeviceLinkReport {
  name: 'nccl'
  available: boolean
  /** The library found, such as 'NCCL 2.30.7 (libnccl.so.2)'. */
  library?: string
  /** Why it is not available, and how to get it. */
  reason?: string
}

/**
 * Every link between GPUs, with the reason why it is not available. Whether there are GPUs is another matter.
 *
 * @example
 * for (const { name, library, reason } of await listDeviceLinks()) console.log(name, library ?? reason)
 */
export async function listDeviceLinks(): Promise<DeviceLinkReport[]> {
  return [{ name: 'nccl', ...(await findNccl()) }]
}

async function findNccl(): Promise<Omit<DeviceLinkReport, 'name'>> {
  const loaded = await loadKoffi()
  if ('reason' in loaded) return { available: false, reason: loaded.reason }
  try {
    const { library, file } = loadLibrary(loaded.koffi, 'nccl', thisMachine())
    return { available: true, library: `NCCL ${new Nccl(loaded.koffi, library).version} (${file})` }
  } catch (error) {
    return { available: false, reason: (error as Error).message }
  }
}
