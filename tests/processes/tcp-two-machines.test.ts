import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { TwoMachines } from '../fixtures/namespaces.js'
import { RemoteProcess } from '../fixtures/remote-end.js'
import { type Orders, startGroup, weightsOf } from '../fixtures/run-group.js'

const refused = TwoMachines.whyNot()
if (refused) console.log(`Skipped: ${refused}`)

const secret = 'what both machines know, and nobody else'
const RANKS_PER_MACHINE = 2
const worldSize = 2 * RANKS_PER_MACHINE

describe.skipIf(refused)('tcp between two machines', () => {
  let machines: TwoMachines
  let ends: RemoteProcess[] = []

  beforeEach(() => {
    machines = new TwoMachines(`dcml-${process.pid}`)
    ends = Array.from({ length: worldSize }, (_, rank) => {
      return new RemoteProcess(machines.on(rank < RANKS_PER_MACHINE ? 0 : 1))
    })
  })
  afterEach(async () => {
    await Promise.all(ends.map((end) => end.kill()))
    machines.remove()
  })

  const join = (options: object = {}) =>
    Promise.all(
      ends.map((end, rank) =>
        end.call('join', {
          options: { rendezvous: `${machines.addresses[0]}:29500`, rank, worldSize, secret, ...options },
        }),
      ),
    )
  const reduce = (length: number, times: number) =>
    Promise.all(ends.map((end) => end.call('reduce', { length, times })))

  it('adds up over a cable that delays and loses', async () => {
    const reason = machines.worsen({ delayMs: 5, lossPercent: 1 })
    if (reason) console.log(`Over a good cable only: ${reason}`)
    await join()
    expect(await reduce(100_000, 3)).toEqual(Array(worldSize).fill(worldSize))
    await Promise.all(ends.map((end) => end.call('close')))
    expect(await Promise.all(ends.map((end) => end.exit()))).toEqual(Array(worldSize).fill(0))
  })

  it('goes on when the cable is restored in time', async () => {
    await join({ silenceMs: 20_000, timeoutMs: 20_000 })
    machines.cut()
    const sums = reduce(10_000, 20)
    // Retransmissions go nowhere meanwhile.
    await ends[0]!.call('block', { forMs: 700 })
    machines.restore()
    expect(await sums).toEqual(Array(worldSize).fill(worldSize))
  })

  it('fails on both when the cable is cut, and each names one of the other', async () => {
    await join({ silenceMs: 1000 })
    const running = ends.map((end) => end.call('reduce', { length: 100_000 }))
    for (const result of running) result.catch(() => {})
    machines.cut()
    const failures = await Promise.allSettled(running)
    failures.forEach((failure, rank) => {
      const others = rank < RANKS_PER_MACHINE ? [2, 3] : [0, 1]
      expect(failure).toMatchObject({ status: 'rejected', reason: { name: 'TransportError' } })
      expect(others).toContain((failure as PromiseRejectedResult).reason.rank)
    })
  })

  it('does not open a group without a secret', async () => {
    await expect(join({ secret: '' })).rejects.toThrow(/needs a secret or TLS/)
  })
})

describe.skipIf(refused)('a training between two machines', () => {
  let machines: TwoMachines
  beforeEach(() => {
    machines = new TwoMachines(`dcml-${process.pid}`)
  })
  afterEach(() => machines.remove())

  /** Two processes, one on each, that are told of every step of rank 0. */
  async function train(orders: Orders, onStep: (step: number) => void) {
    const place = { MASTER_ADDR: machines.addresses[0] }
    const { ranks } = await startGroup(2, { ...orders, tells: true }, [place, place], (rank) =>
      machines.on(rank === 0 ? 0 : 1),
    )
    createInterface({ input: ranks[0]!.process.stdout! }).on('line', (line) => {
      const step = /^step (\d+)/.exec(line)?.[1]
      if (step !== undefined) onStep(Number(step))
    })
    return Promise.all(ranks.map(({ outcome }) => outcome))
  }

  it('ends on both when the cable is cut, and each names the other', async () => {
    const quick = { silenceMs: 1000 }
    const outcomes = await train({ epochs: 1000, tcp: { 0: quick, 1: quick } }, (step) => {
      if (step === 10) machines.cut()
    })
    for (const [rank, { error }] of outcomes.entries())
      expect(error).toMatchObject({ message: expect.stringMatching(new RegExp(`(Rank|Worker) ${1 - rank}\\b`)) })
  })

  it('goes on when the cable is restored in time', async () => {
    const patient = { silenceMs: 20_000 }
    const outcomes = await train({ tcp: { 0: patient, 1: patient } }, (step) => {
      if (step !== 10) return
      machines.cut()
      machines.restore()
    })
    expect(weightsOf(outcomes[1]!)).toEqual(weightsOf(outcomes[0]!))
  })
})
