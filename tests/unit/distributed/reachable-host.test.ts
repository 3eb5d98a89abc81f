import { networkInterfaces } from 'node:os'
import { describe, expect, it } from 'vitest'
import { reachableHost } from '../../../src/distributed/launch/reachable-host.js'

const own = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address

describe('where others reach a host', () => {
  it.skipIf(own === undefined)('is its own address where its name leads back to itself', async () => {
    expect(await reachableHost({ name: 'localhost', towards: own })).toBe(own)
  })

  it.skipIf(own === undefined)('is its name where that leads to the network', async () => {
    expect(await reachableHost({ name: own!, towards: 'localhost' })).toBe(own)
  })

  it('is its name where there is nobody else, or no way is known', async () => {
    expect(await reachableHost({ name: 'localhost', towards: undefined })).toBe('localhost')
    expect(await reachableHost({ name: 'localhost', towards: 'localhost' })).toBe('localhost')
    expect(await reachableHost({ name: 'localhost', towards: 'name.invalid' })).toBe('localhost')
    expect(await reachableHost({ name: 'name.invalid', towards: 'localhost' })).toBe('name.invalid')
  })
})
