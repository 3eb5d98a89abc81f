/** The conformance suite of `Transport`. @module */

import { TransportError } from '../core/index.js'
import type { Transport } from '../transport/index.js'
import type { ConformanceCase } from './suite.js'

/** How the suite gets its subject. */
export interface TransportSubject {
  /** All ends of a new group, in rank order. */
  create(worldSize: number): Transport[] | Promise<Transport[]>
}

/**
 * What every transport must do, as cases for any test runner.
 *
 * @example
 * for (const { name, run } of testTransport({ create: (worldSize) => memoryTransports(worldSize) })) it(name, run)
 */
export function testTransport({ create }: TransportSubject): ConformanceCase[] {
  return Object.entries(cases).map(([name, check]) => ({
    name,
    async run() {
      const group = await create(3)
      try {
        await check(group as [Transport, Transport, Transport])
      } finally {
        await Promise.all(group.map((transport) => transport.close()))
      }
    },
  }))
}

const cases: Record<string, (group: [Transport, Transport, Transport]) => Promise<void>> = {
  'numbers its peers': async (group) => {
    group.forEach((transport, rank) => {
      if (transport.rank !== rank || transport.worldSize !== 3) throw new Error(`rank ${rank} is ${transport.rank}`)
    })
  },

  'keeps the order of one tag, also with all receivers waiting first': async ([a, b]) => {
    const received = Promise.all([0, 1, 2, 3].map(() => b.receive(0, 5)))
    await Promise.all([0, 1, 2, 3].map((i) => a.send(1, 5, Uint8Array.of(i))))
    for (const [i, bytes] of (await received).entries()) assertBytes(bytes, Uint8Array.of(i))
  },

  'tells tags and senders apart': async ([a, b, c]) => {
    await Promise.all([a.send(2, 1, Uint8Array.of(1)), a.send(2, 2, Uint8Array.of(2)), b.send(2, 1, Uint8Array.of(3))])
    assertBytes(await c.receive(0, 2), Uint8Array.of(2))
    assertBytes(await c.receive(1, 1), Uint8Array.of(3))
    assertBytes(await c.receive(0, 1), Uint8Array.of(1))
  },

  'carries an empty message': async ([a, b]) => {
    const [received] = await Promise.all([b.receive(0, 0), a.send(1, 0, new Uint8Array(0))])
    assertBytes(received, new Uint8Array(0))
  },

  'carries a large message, both ways at once': async ([a, b]) => {
    const [there, back] = [pattern(1_000_003, 1), pattern(700_001, 2)]
    const [first, second] = await Promise.all([
      b.receive(0, 0),
      a.receive(1, 0),
      a.send(1, 0, there),
      b.send(0, 0, back),
    ])
    assertBytes(first, there)
    assertBytes(second, back)
  },

  'holds a fast sender back without losing anything': async ([a, b]) => {
    const sent = Promise.all(Array.from({ length: 40 }, (_, i) => a.send(1, 0, pattern(10_000, i))))
    for (let i = 0; i < 40; i++) assertBytes(await b.receive(0, 0), pattern(10_000, i))
    await sent
  },

  'leaves sent bytes free to change once send resolves': async ([a, b]) => {
    const bytes = Uint8Array.of(1, 2)
    await a.send(1, 0, bytes)
    bytes.fill(9)
    assertBytes(await b.receive(0, 0), Uint8Array.of(1, 2))
  },

  'receives into a given array, and refuses one that is too short': async ([a, b]) => {
    const into = new Uint8Array(4)
    await a.send(1, 0, Uint8Array.of(7, 8))
    const view = await b.receive(0, 0, into)
    if (view.buffer !== into.buffer) throw new Error('the message is not in the given array')
    assertBytes(view, Uint8Array.of(7, 8))
    await a.send(1, 0, pattern(5, 0))
    await assertFails(b.receive(0, 0, into))
  },

  'fails a receive from a peer that leaves': async ([a, b]) => {
    const waiting = assertFails(b.receive(0, 0))
    await a.close()
    await waiting
    await assertFails(b.send(0, 0, Uint8Array.of(1)))
  },

  'delivers what a peer sent before it left': async ([a, b]) => {
    await a.send(1, 0, Uint8Array.of(4))
    await a.close()
    assertBytes(await b.receive(0, 0), Uint8Array.of(4))
    await assertFails(b.receive(0, 0))
  },

  'fails its own operations when closed while busy': async ([a]) => {
    const waiting = assertFails(a.receive(1, 0))
    await a.close()
    await waiting
    await assertFails(a.send(1, 0, Uint8Array.of(1)))
    await assertFails(a.receive(1, 0))
  },

  'ends every operation of every peer on abort': async ([a, b, c]) => {
    const waiting = [assertFails(a.receive(1, 0)), assertFails(b.receive(2, 0)), assertFails(c.receive(0, 0))]
    b.abort('the test says so')
    await Promise.all(waiting)
    await assertFails(c.send(0, 0, Uint8Array.of(1)))
  },

  'refuses a rank that is not there': async ([a]) => {
    await assertFails(a.send(3, 0, new Uint8Array(1)))
    await assertFails(a.receive(-1, 0))
  },
}

const pattern = (length: number, seed: number) => Uint8Array.from({ length }, (_, i) => (i * 31 + seed * 7) & 255)

async function assertFails(operation: Promise<unknown>): Promise<void> {
  const error = await operation.then(
    () => undefined,
    (thrown) => thrown,
  )
  if (!(error instanceof TransportError)) throw new Error(`expected a TransportError, got ${String(error)}`)
}

function assertBytes(actual: Uint8Array, expected: Uint8Array): void {
  const isSame = actual.length === expected.length && actual.every((byte, i) => byte === expected[i])
  if (!isSame) throw new Error(`expected ${expected.length} certain bytes, got ${actual.length} or others`)
}
