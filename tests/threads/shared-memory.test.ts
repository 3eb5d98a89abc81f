import { sharedMemory, TransportError, type TransportOptions } from 'dcml'
import { testCollectives, testTransport } from 'dcml/testing'
import { afterAll, describe, expect, it } from 'vitest'
import { RemoteThread, remoteTransport } from '../fixtures/remote-end.js'

const threads: RemoteThread[] = []

/** Threads of real parallelism, started when they are first needed. */
function threadsFor(worldSize: number): RemoteThread[] {
  while (threads.length < worldSize) threads.push(new RemoteThread())
  return threads.slice(0, worldSize)
}

afterAll(() => Promise.all(threads.map((thread) => thread.terminate())))

describe('shared memory between threads', () => {
  const create = async (worldSize: number, options: TransportOptions) => {
    const tickets = await sharedMemory(options).open(worldSize)
    return Promise.all(threadsFor(worldSize).map((thread, rank) => remoteTransport(thread, { ticket: tickets[rank] })))
  }
  for (const { name, run } of testTransport({ create })) it(name, run)
})

describe.each([
  ['native collectives', { native: true }],
  ['collectives of messages', { native: false }],
])('%s of shared memory between threads', (_name, options) => {
  const run = async (name: string, worldSize: number) => {
    const factory = sharedMemory(options)
    const tickets = await factory.open(worldSize)
    let failure: unknown
    const parts = threadsFor(worldSize).map(async (thread, rank) => {
      try {
        await thread.call('collectivesCase', { name, ticket: tickets[rank] })
      } catch (error) {
        failure ??= error
        // The others would wait for this rank for ever.
        factory.abort(tickets[0]!, String(error))
      }
    })
    await Promise.all(parts)
    if (failure) throw failure
  }
  for (const { name, run: holds } of testCollectives({ run })) it(name, holds)
})

it('ends every thread of a group when one fails', async () => {
  const factory = sharedMemory()
  const tickets = await factory.open(2)
  const [first] = threadsFor(1)
  const waiting = first!.call('collectivesCase', { name: 'sums by default', ticket: tickets[0] })
  factory.abort(tickets[1]!, 'the test says so')
  await expect(waiting).rejects.toThrow(TransportError)
})
