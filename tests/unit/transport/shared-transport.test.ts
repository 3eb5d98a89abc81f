import { expect, it } from 'vitest'
import { sharedMemory } from '../../../src/transport/index.js'

it('ends the group when a message is given up half-way, for what follows would be misread', async () => {
  const factory = sharedMemory({ timeoutMs: 50 })
  const [a, b] = await Promise.all((await factory.open(2)).map((ticket) => factory.join(ticket)))
  await expect(a!.send(1, 0, new Uint8Array(10_000_000))).rejects.toMatchObject({ rank: 1 })
  await expect(b!.receive(0, 0)).rejects.toThrow(/group of workers has ended/)
  await expect(a!.send(1, 0, Uint8Array.of(1))).rejects.toThrow(/group of workers has ended/)
})
