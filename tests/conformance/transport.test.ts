import { describe, expect, it } from 'vitest'
import { testTransport } from '../../src/testing/transport.js'
import { memoryTransports, sharedMemory, type TransportOptions } from '../../src/transport/index.js'

const subjects = {
  memory: async (worldSize: number, options?: TransportOptions) => memoryTransports(worldSize, options),
  sharedMemory: async (worldSize: number, options?: TransportOptions) => {
    const factory = sharedMemory(options)
    return Promise.all((await factory.open(worldSize)).map((ticket) => factory.join(ticket)))
  },
}

const endless = 'it keeps in memory what was sent, for tests'
const skips: Record<string, Record<string, string>> = {
  memory: { 'holds a sender back whose receiver does not come': endless },
}

for (const [name, create] of Object.entries(subjects))
  describe(name, () => {
    for (const { name: holds, run } of testTransport({ create, skip: skips[name] ?? {} })) it(holds, run)
  })

it('knows the cases that it is told to skip', () => {
  expect(() => testTransport({ create: memoryTransports, skip: { sings: 'it cannot' } })).toThrow(/no such case/)
})
