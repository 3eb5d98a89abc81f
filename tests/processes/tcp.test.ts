import type { Transport, TransportOptions } from 'dcml'
import { testTransport } from 'dcml/testing'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { freePort } from '../fixtures/free-port.js'
import { RemoteProcess, remoteTransport } from '../fixtures/remote-end.js'

/** Processes that go from one group to the next, for they take their time to start. */
let pool: RemoteProcess[] = []

afterEach(async () => {
  const sound = pool.filter((process) => process.isSound)
  await Promise.all(pool.map((process) => (process.isSound ? process.call('close') : process.kill())))
  pool = sound
})

afterAll(() => Promise.all(pool.map((process) => process.kill())))

function added(): RemoteProcess {
  const process = new RemoteProcess()
  pool.push(process)
  return process
}

/** Processes that have not joined yet, and how each is to join. */
async function start(worldSize: number, options: object = {}) {
  while (pool.length < worldSize) added()
  const rendezvous = `127.0.0.1:${await freePort()}`
  const placeOf = (rank: number) => ({ options: { rendezvous, rank, worldSize, ...options } })
  return { ends: pool.slice(0, worldSize), placeOf }
}

/** Processes that have joined one group. */
async function group(worldSize: number, options: object = {}): Promise<RemoteProcess[]> {
  const { ends, placeOf } = await start(worldSize, options)
  await Promise.all(ends.map((end, rank) => end.call('join', placeOf(rank))))
  return ends
}

describe('tcp between processes', () => {
  const byTransport = new Map<Transport, RemoteProcess>()
  const create = async (worldSize: number, options: TransportOptions) => {
    const { ends, placeOf } = await start(worldSize, options)
    return Promise.all(
      ends.map(async (end, rank) => {
        const transport = await remoteTransport(end, placeOf(rank))
        byTransport.set(transport, end)
        return transport
      }),
    )
  }
  const lose = (transport: Transport) => {
    byTransport.get(transport)!.signal('SIGKILL')
    // The suite closes all ends, and this one is gone.
    transport.close = async () => {}
  }
  for (const { name, run } of testTransport({ create, lose })) it(name, run)
})

describe.each([2, 3, 4])('a group of %i', (worldSize) => {
  const victim = worldSize - 1
  it.each([
    ['is killed', (process: RemoteProcess) => process.signal('SIGKILL')],
    ['is stopped', (process: RemoteProcess) => process.signal('SIGSTOP')],
    // Over when it is known to be gone: it must not go to the next group.
    ['throws', (process: RemoteProcess) => Promise.allSettled([process.call('throwUncaught'), process.exit()])],
  ])('in mid all-reduce fails on every survivor when a rank %s, and names it', async (_what, strike) => {
    const ends = await group(worldSize, { silenceMs: 2000 })
    const running = ends.map((end) => end.call('reduce', { length: 300_000 }))
    for (const result of running) result.catch(() => {})
    // All have been through the first rounds when this comes back.
    await ends[0]!.call('block', { forMs: 50 })
    await strike(ends[victim]!)
    const results = await Promise.allSettled(running.slice(0, victim))
    expect(results).toEqual(
      results.map(() => ({ status: 'rejected', reason: expect.objectContaining({ rank: victim }) })),
    )
    for (const survivor of ends.slice(0, victim)) await survivor.call('close')
  })
})

it('notices the stop of a peer that it holds back', async () => {
  const ends = await group(2, { silenceMs: 1000 })
  // More than may lie there without a receiver; once what follows it has come, nothing is read any more.
  for (const length of [4_000_000, 300_000])
    await ends[0]!.call('send', { to: 1, tag: 0, bytes: new Uint8Array(length) })
  await ends[0]!.call('send', { to: 1, tag: 1, bytes: new Uint8Array(1) })
  await ends[1]!.call('receive', { from: 0, tag: 1 })
  // Its heart beats meanwhile.
  await ends[0]!.call('block', { forMs: 1000 })
  ends[0]!.signal('SIGSTOP')
  const sent = ends[1]!.call('send', { to: 0, tag: 0, bytes: new Uint8Array(32_000_000) })
  await expect(sent).rejects.toMatchObject({ rank: 0, message: expect.stringMatching(/no sign of life/) })
})

it('waits for a peer that is only slow', async () => {
  const ends = await group(2, { silenceMs: 1000 })
  // Longer than a peer may be silent: but its heart beats.
  const slow = ends[1]!.call('block', { forMs: 2500 })
  const sums = await Promise.all(ends.map((end) => end.call('reduce', { length: 1000, times: 3 })))
  await slow
  expect(sums).toEqual([2, 2])
})

it('does not take its own sleep for the silence of others', async () => {
  const ends = await group(2, { silenceMs: 300 })
  await Promise.all(ends.map((end) => end.call('block', { forMs: 1000 })))
  const sums = await Promise.all(ends.map((end) => end.call('reduce', { length: 1000, times: 3 })))
  expect(sums).toEqual([2, 2])
})

describe('at the rendezvous', () => {
  /** Rank 0, which waits for others, and a rank 1 that has come to it for sure: a second rank 1 was refused. */
  async function meeting() {
    const { ends, placeOf } = await start(3)
    const first = ends[0]!.call('join', placeOf(0))
    first.catch(() => {})
    const joins = ends.slice(1).map((end) => end.call('join', placeOf(1)))
    const refused = await Promise.race(
      joins.map((join, i) =>
        join.then(
          () => -1,
          () => i,
        ),
      ),
    )
    const [one, other] = refused === 0 ? [2, 1] : [1, 2]
    return { zero: ends[0]!, first, one: ends[one]!, join: joins[one - 1]!, other: ends[other]!, placeOf }
  }

  it('a rank that was killed may come again', async () => {
    const { first, one, join, other, placeOf } = await meeting()
    one.signal('SIGKILL')
    await expect(join).rejects.toThrow(/SIGKILL/)
    const again = added()
    await Promise.all([first, again.call('join', placeOf(1)), other.call('join', placeOf(2))])
    const sums = await Promise.all([pool[0]!, again, other].map((end) => end.call('reduce', { length: 10, times: 1 })))
    expect(sums).toEqual([3, 3, 3])
  })

  it('those that wait are told that rank 0 was killed', async () => {
    const { zero, join } = await meeting()
    zero.signal('SIGKILL')
    await expect(join).rejects.toMatchObject({ rank: 0 })
  })
})

it('delivers what was sent before a close, however much, and ends the process', async () => {
  const ends = await group(2)
  const bytes = new Uint8Array(3_000_000).fill(7)
  const received = ends[1]!.call('receive', { from: 0, tag: 0 })
  await ends[0]!.call('send', { to: 1, tag: 0, bytes })
  await ends[0]!.call('send', { to: 1, tag: 1, bytes: bytes.subarray(0, 5) })
  await ends[0]!.call('close')
  expect(await ends[0]!.exit()).toBe(0)
  expect(await received).toEqual(bytes)
  expect(await ends[1]!.call('receive', { from: 0, tag: 1 })).toEqual(bytes.subarray(0, 5))
  await expect(ends[1]!.call('receive', { from: 0, tag: 1 })).rejects.toMatchObject({ rank: 0 })
  await ends[1]!.call('close')
  expect(await ends[1]!.exit()).toBe(0)
})
