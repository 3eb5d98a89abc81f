import { describe, expect, it } from 'vitest'
import type { WorkerDevices } from '../../../src/backends/index.js'
import { createCollectives } from '../../../src/collectives/index.js'
import { BackendUnavailableError, ConfigError } from '../../../src/core/index.js'
import { findObstacle } from '../../../src/distributed/device-obstacle.js'
import { memoryTransports } from '../../../src/transport/index.js'

/** The worker with the GPU of this number, and NCCL of a version, or none. */
function worker(device: number, version: number | undefined): WorkerDevices {
  const unasked = () => {
    throw new ConfigError('Nobody asks for this before all have told of themselves.')
  }
  return {
    count: 1,
    id: new Uint8Array(16).fill(device),
    holds: unasked,
    close: unasked,
    openLink() {
      if (version === undefined) throw new BackendUnavailableError('NCCL was not found.')
      return { version, createGroupId: unasked, join: unasked }
    },
  }
}

const obstacles = (workers: WorkerDevices[]) =>
  Promise.all(
    memoryTransports(workers.length).map(async (transport, rank) => {
      const { link, obstacle } = await findObstacle(workers[rank]!, createCollectives(transport), workers.length)
      return [link?.version, obstacle]
    }),
  )

describe('what is in the way of GPUs', () => {
  it('is nothing, where each has one and NCCL of the same version', async () => {
    const workers = [1, 2, 255].map((device) => worker(device, 23007))
    expect(await obstacles(workers)).toEqual(Array(3).fill([23007, undefined]))
  })

  it('is one that has no NCCL: itself says why, the others who it is', async () => {
    const workers = [worker(1, 23007), worker(2, undefined), worker(3, 23007)]
    const [first, second, third] = await obstacles(workers)
    expect(first).toEqual([23007, expect.stringMatching(/^Rank 1 has no NCCL/)])
    expect(second).toEqual([undefined, 'NCCL was not found.'])
    expect(third).toEqual(first)
  })

  it('is another version, for all alike', async () => {
    const [first, second, third] = await obstacles([worker(1, 23007), worker(2, 23007), worker(3, 22100)])
    expect(first![1]).toMatch(/^Ranks 0 and 2 .* 23007 and 22100/)
    expect([second![1], third![1]]).toEqual([first![1], first![1]])
  })

  it('is a GPU that two have, for all alike', async () => {
    const [first, second, third] = await obstacles([worker(1, 23007), worker(2, 23007), worker(2, 23007)])
    expect(first![1]).toMatch(/^Ranks 1 and 2 share a GPU.*LOCAL_RANK/)
    expect([second![1], third![1]]).toEqual([first![1], first![1]])
  })
})
