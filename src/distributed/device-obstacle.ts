/** Why GPUs of workers cannot work together, if they cannot. @module */

import type { DeviceLink, WorkerDevices } from '../backends/index.js'
import type { Collectives } from '../transport/index.js'

/** Numbers that a worker tells of itself: the version of its link, 0 for none, and the id of its device. */
const TOLD = 5

/**
 * Asks all workers, so that all come to the same.
 *
 * @returns This worker's link, if it has one, and what is in the way of all.
 */
export async function findObstacle(
  devices: WorkerDevices,
  collectives: Collectives,
  worldSize: number,
): Promise<{ link: DeviceLink | undefined; obstacle: string | undefined }> {
  const own = new Int32Array(TOLD)
  new Uint8Array(own.buffer).set(devices.id, 4)
  let link: DeviceLink | undefined
  let missing: string | undefined
  try {
    link = devices.openLink()
    own[0] = link.version
  } catch (error) {
    missing = (error as Error).message
  }
  const told = await collectives.allGather(own)
  const workers = Array.from({ length: worldSize }, (_, rank) => told.subarray(rank * TOLD, (rank + 1) * TOLD))
  return { link, obstacle: obstacleAmong(workers, missing) }
}

function obstacleAmong(workers: readonly Int32Array[], missing: string | undefined): string | undefined {
  const versions = workers.map(([version]) => version!)
  if (versions.includes(0)) {
    const ranks = versions.flatMap((version, rank) => (version === 0 ? [rank] : []))
    return missing ?? `Rank ${ranks.join(', ')} has no NCCL; 'npx dcml doctor' says there where it was looked for.`
  }
  const other = versions.findIndex((version) => version !== versions[0])
  if (other > 0)
    return `Ranks 0 and ${other} have NCCL of other versions, ${versions[0]} and ${versions[other]}: install the same.`
  const devices = workers.map((worker) => worker.subarray(1).join())
  const second = devices.findIndex((device, rank) => devices.indexOf(device) < rank)
  if (second < 0) return undefined
  const ranks = `${devices.indexOf(devices[second]!)} and ${second}`
  return `Ranks ${ranks} share a GPU, which NCCL does not do. Where LOCAL_RANK is set, each process takes its own.`
}
