import { testCollectives, testTransport } from 'dcml/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchers, MpiJob } from './mpi-job.js'

for (const launcher of launchers)
  describe.skipIf(launcher.missing)(`under ${launcher.name}`, () => {
    describe('messages of 3 processes', () => {
      let job: MpiJob
      beforeAll(async () => {
        job = await MpiJob.start(launcher, 3)
      })
      afterAll(async () => expect(await job.end()).toBe(0))
      for (const { name, run } of testTransport({ create: (_size, options) => job.group(options) })) it(name, run)
    })

    describe.each([2, 4])('collectives of %i processes', (worldSize) => {
      let job: MpiJob
      beforeAll(async () => {
        job = await MpiJob.start(launcher, worldSize)
      })
      afterAll(async () => expect(await job.end()).toBe(0))
      const run = (name: string) => job.all('collectivesCase', { name })
      for (const { name, run: holds } of testCollectives({ worldSizes: [worldSize], run })) it(name, holds)

      it('leaves the event loop free while it waits for a late rank', async () => {
        await job.all('join')
        // In several pieces.
        const length = 3_000_000
        for (let rank = 1; rank < worldSize; rank++) await job.call(rank, 'start', { length })
        for (let rank = 1; rank < worldSize; rank++) expect(await job.call(rank, 'ping')).toBe('pong')
        await job.call(0, 'start', { length })
        expect(await job.all('finish', { length })).toEqual(Array(worldSize).fill(worldSize))
        await job.all('close')
      })

      it('reduces to shares and gathers in several pieces', async () => {
        await job.all('join')
        const length = 600_001 * worldSize + 1
        expect(await job.all('averageByShares', { length })).toEqual(Array(worldSize).fill(0))
        await job.all('close')
      })

      it('refuses what MPI cannot count, on every rank', async () => {
        await job.all('join')
        const refused = await Promise.allSettled(
          Array.from({ length: worldSize }, (_, rank) => job.call(rank, 'exchangeTooMuch')),
        )
        for (const result of refused)
          expect(result).toMatchObject({ reason: { message: expect.stringMatching(/too long for MPI.*2147483647/) } })
        await job.all('close')
      })

      it('ends an operation that waits for a rank that leaves, and tells which', async () => {
        await job.all('join')
        for (let rank = 1; rank < worldSize; rank++) await job.call(rank, 'start', { length: 3 })
        await job.call(0, 'close')
        for (let rank = 1; rank < worldSize; rank++)
          await expect(job.call(rank, 'finish', { length: 3 })).rejects.toMatchObject({ rank: 0 })
        await job.all('close')
      })
    })
  })
