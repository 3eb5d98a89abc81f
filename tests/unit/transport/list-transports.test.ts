import { readdirSync } from 'node:fs'
import { expect, it } from 'vitest'
import { listTransports } from '../../../src/transport/node.js'

const files = readdirSync(new URL('../../../src/transport', import.meta.url))

it('lists what the sources hold, and says "not yet" of the rest', async () => {
  const reports = await listTransports()
  expect(reports.map(({ name }) => name)).toEqual(['memory', 'sharedMemory', 'tcp', 'mpi', 'nccl'])
  for (const { name, available, reason } of reports) {
    const isWritten = files.some((file) => file === name || file.startsWith(`${name.replace('Memory', '')}-`))
    if (isWritten) expect(reason ?? '').not.toMatch(/not yet/)
    else expect([available, reason]).toEqual([false, expect.stringMatching(/not yet/)])
  }
})

it('finds shared memory in Node', async () => {
  const shared = (await listTransports()).find(({ name }) => name === 'sharedMemory')
  expect(shared).toMatchObject({ available: true })
})
