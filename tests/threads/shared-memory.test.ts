import { Worker } from 'node:worker_threads'
import { sharedMemory, type Transport, TransportError } from 'dcml'
import { testCollectives, testTransport } from 'dcml/testing'
import { afterAll, describe, expect, it } from 'vitest'

/** A thread that lives as long as this file and takes part in one group after another. */
class GroupThread {
  readonly #worker = new Worker(new URL('../fixtures/group-thread.mjs', import.meta.url))
  readonly #waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>()
  #nextId = 0

  constructor() {
    this.#worker.on('message', ({ id, result, error }) => {
      const { resolve, reject } = this.#waiting.get(id)!
      this.#waiting.delete(id)
      if (error === undefined) resolve(result)
      else reject(error.name === 'TransportError' ? new TransportError(error.message, error) : new Error(error.message))
    })
    this.#worker.on('error', (error) => {
      for (const { reject } of this.#waiting.values()) reject(error as Error)
    })
  }

  call(command: string, values: object = {}): Promise<unknown> {
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#worker.postMessage({ id, command, values })
    })
  }

  terminate(): Promise<unknown> {
    return this.#worker.terminate()
  }
}

/** A thread's end of a group, driven from here. */
async function remoteTransport(thread: GroupThread, ticket: object): Promise<Transport> {
  const place = (await thread.call('join', { ticket })) as { rank: number; worldSize: number }
  return {
    ...place,
    send: (to, tag, bytes) => thread.call('send', { to, tag, bytes }) as Promise<void>,
    async receive(from, tag, into) {
      const bytes = (await thread.call('receive', { from, tag, intoLength: into?.length })) as Uint8Array
      if (!into) return bytes
      into.set(bytes)
      return into.subarray(0, bytes.length)
    },
    abort: (reason) => void thread.call('abort', { reason }),
    close: () => thread.call('close') as Promise<void>,
  }
}

const threads: GroupThread[] = []

/** Threads of real parallelism, started when they are first needed. */
function threadsFor(worldSize: number): GroupThread[] {
  while (threads.length < worldSize) threads.push(new GroupThread())
  return threads.slice(0, worldSize)
}

afterAll(() => Promise.all(threads.map((thread) => thread.terminate())))

describe('shared memory between threads', () => {
  const create = async (worldSize: number) => {
    const tickets = await sharedMemory().open(worldSize)
    return Promise.all(threadsFor(worldSize).map((thread, rank) => remoteTransport(thread, tickets[rank]!)))
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
