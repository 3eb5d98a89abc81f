/** A group of one GPU: what NCCL itself is asked for, on a real GPU too. Groups of more are in several-gpus.test.ts. */

import { beforeAll, describe, expect, it, vi } from 'vitest'
import { createDeviceFloats, type DeviceFloats, selectBackend, workerDevices } from '../../src/backends/index.js'
import { TransportError } from '../../src/core/index.js'
import { DeviceCollectives } from '../../src/distributed/device-collectives.js'
import { runCollectivesCase, testCollectives } from '../../src/testing/collectives.js'
import { memoryTransports } from '../../src/transport/index.js'
import { useStandIn } from './stand-in.js'

const isThere = useStandIn('NCCL')

/** Longer than a piece of the stand-in. */
const LENGTH = 50_000

/** Why there is no NCCL here. */
function missingNccl(): string | undefined {
  try {
    workerDevices()!.openLink()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

if (isThere) await selectBackend({ prefer: ['cuda'] })
const missing = isThere ? missingNccl() : undefined
if (missing !== undefined) console.log(`Skipped: NCCL on this GPU. ${missing}`)

describe.runIf(isThere && missing === undefined)('collectives of one GPU', () => {
  let floats: DeviceFloats
  const values = Float32Array.from({ length: LENGTH }, (_, i) => Math.sin(i))

  beforeAll(() => {
    floats = createDeviceFloats(LENGTH)!
    floats.view().set(values)
  })

  it('know what lies on the GPU', () => {
    const { holds, id } = workerDevices()!
    expect(holds(floats.view())).toBe(true)
    expect(holds(floats.view().subarray(10, 20))).toBe(true)
    expect(holds(values)).toBe(false)
    expect(id.some((byte) => byte > 0)).toBe(true)
  })

  it.each(['sum', 'mean', 'max', 'min'] as const)('combine arrays by %s', async (operation) => {
    const link = workerDevices()!.openLink()
    const group = link.join({ id: link.createGroupId(), rank: 0, worldSize: 1 })
    await group.ready
    await group.allReduce(floats.view(), operation)
    await group.allReduce(floats.view().subarray(3, LENGTH - 1), operation)
    await group.allReduce(floats.view().subarray(0, 0), operation)
    expect(floats.view()).toEqual(values)
    group.abort(new TransportError('It is over.'))
  })

  it('go over the transport in the order of the calls, where two ranks share the GPU', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const sums = await Promise.all(
      memoryTransports(2).map(async (transport, rank) => {
        const collectives = new DeviceCollectives(transport, workerDevices()!)
        const [onGpu, onHost] = [createDeviceFloats(3)!, Float32Array.of(10 * rank, 1, 2)]
        onGpu.view().set([rank, 2, 3])
        const first = collectives.allReduce(onGpu.view())
        // Who waits and who does not come to the same calls in the same order.
        if (rank === 1) await first
        await Promise.all([first, collectives.allReduce(onHost)])
        return [[...onGpu.view()], [...onHost]]
      }),
    )
    for (const ofRank of sums)
      expect(ofRank).toEqual([
        [1, 4, 6],
        [10, 2, 4],
      ])
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/host.*Ranks 0 and 1 share a GPU/)]])
    warn.mockRestore()
  })

  const run = (name: string, worldSize: number) =>
    Promise.all(
      memoryTransports(worldSize).map((end) =>
        runCollectivesCase(name, new DeviceCollectives(end, workerDevices()!), end),
      ),
    )
  for (const { name, run: holds } of testCollectives({ worldSizes: [3], run })) it(`on the host: ${name}`, holds)

  it('fail once they have ended', async () => {
    const [transport] = memoryTransports(1)
    const collectives = new DeviceCollectives(transport!, workerDevices()!)
    await collectives.allReduce(floats.view())
    expect(floats.view()).toEqual(values)
    collectives.end(new TransportError('It is over.'))
    await expect(collectives.allReduce(floats.view())).rejects.toThrow('It is over.')
    // What does not lie on the GPU goes over the transport, which is another matter.
    await collectives.allReduce(values.slice())
  })
})
