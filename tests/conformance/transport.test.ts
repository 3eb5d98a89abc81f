import { describe, expect, it } from 'vitest'
import { TransportError } from '../../src/core/index.js'
import { testTransport } from '../../src/testing/transport.js'
import { memoryTransports, sharedMemory, type TransportOptions } from '../../src/transport/index.js'

const subjects = {
  memory: async (worldSize: number, options?: TransportOptions) => memoryTransports(worldSize, options),
  sharedMemory: async (worldSize: number, options?: TransportOptions) => {
    const factory = sharedMemory(options)
    return Promise.all((await factory.open(worldSize)).map((ticket) => factory.join(ticket)))
  },
}

for (const [name, create] of Object.entries(subjects))
  describe(name, () => {
    for (const { name: holds, run } of testTransport({ create })) it(holds, run)

    it('gives up on a peer that is late', async () => {
      const [first] = await create(2, { timeoutMs: 20 })
      await expect(first!.receive(1, 0)).rejects.toThrow(TransportError)
      await first!.close()
    })
  })
