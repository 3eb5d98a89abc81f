import { readdirSync } from 'node:fs'
import { expect, it } from 'vitest'
import { listTransports } from '../../../src/transport/node.js'

const files = readdirSync(new URL('../../../src/transport', import.meta.url))

it('lists what the sources hold', async () => {
  const names = (await listTransports()).map(({ name }) => name)
  expect(names).toEqual(['memory', 'sharedMemory', 'tcp', 'mpi'])
  for (const name of names)
    expect(files.some((file) => file === name || file.startsWith(`${name.replace('Memory', '')}-`))).toBe(true)
})

it('finds shared memory in Node', async () => {
  const shared = (await listTransports()).find(({ name }) => name === 'sharedMemory')
  expect(shared).toMatchObject({ available: true })
})
