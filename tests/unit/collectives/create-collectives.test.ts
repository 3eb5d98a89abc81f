import { expect, it } from 'vitest'
import { createCollectives } from '../../../src/collectives/index.js'
import { sharedMemory } from '../../../src/transport/index.js'

it("takes the transport's own collectives, unless an algorithm is asked for", async () => {
  const ends = async (options: { native?: boolean }) => {
    const factory = sharedMemory(options)
    return factory.join((await factory.open(1))[0]!)
  }
  const native = await ends({})
  expect(native.native).toBeDefined()
  expect(createCollectives(native)).toBe(native.native)
  expect(createCollectives(native, { algorithm: 'ring' })).not.toBe(native.native)
  expect((await ends({ native: false })).native).toBeUndefined()
})
