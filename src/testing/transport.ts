/** The conformance suite of `Transport`. @module */

import { ConfigError, TransportError } from '../core/index.js'
import type { Transport, TransportOptions } from '../transport/index.js'
import type { ConformanceCase } from './suite.js'

/** How the suite gets its subject. */
export interface TransportSubject {
  /** All ends of a new group, in rank order. */
  create(worldSize: number, options: TransportOptions): Transport[] | Promise<Transport[]>
  /** Ends a peer without a goodbye, as the end of its process would. The case of a lost peer needs it. */
  lose?(end: Transport): unknown
  /** Cases that cannot be run on this transport, by name, with the reason. */
  skip?: Readonly<Record<string, string>>
}

/**
 * What every transport must do, as cases for any test runner.
 *
 * @example
 * for (const { name, run } of testTransport({ create: (worldSize) => memoryTransports(worldSize) })) it(name, run)
 */
export function testTransport({ create, lose, skip = {} }: TransportSubject): ConformanceCase[] {
  const run = async (check: Check, options: TransportOptions = {}) => {
    const group = await create(3, options)
    try {
      await check(group as Group)
    } finally {
      await Promise.all(group.map((transport) => transport.close()))
    }
  }
  const all: Record<string, () => Promise<void>> = {
    ...Object.fromEntries(Object.entries(cases).map(([name, check]) => [name, () => run(check)])),
    'gives up on a peer that is late, and names it': () => run(givesUp, { timeoutMs: 50 }),
    ...(lose
      ? { 'fails every operation of every survivor of a lost peer, and names it': () => run(losing(lose)) }
      : {}),
  }
  const unknown = Object.keys(skip).find((name) => !(name in all))
  if (unknown !== undefined) throw new ConfigError('testTransport has no such case to skip.', { received: unknown })
  return Object.entries(all).map(([name, run]) =>
    name in skip ? { name: `${name} (not run: ${skip[name]})`, run: async () => {} } : { name, run },
  )
}

type Group = [Transport, Transport, Transport]
type Check = (group: Group) => Promise<void>

const givesUp: Check = async ([a]) => {
  await assertFails(a.receive(1, 0), 1)
}

const losing =
  (lose: (end: Transport) => unknown): Check =>
  async ([a, b, c]) => {
    await c.send(0, 9, Uint8Array.of(1))
    await a.receive(2, 9)
    const waiting = [a.receive(2, 0), b.receive(2, 0), a.receive(1, 0), b.receive(0, 0)]
    const failed = waiting.map((operation) => assertFails(operation, 2))
    await lose(c)
    await Promise.all(failed)
    for (const survivor of [a, b]) {
      await assertFails(survivor.receive(2, 0), 2)
      await assertFails(survivor.send(2, 0, Uint8Array.of(1)), 2)
    }
  }

const cases: Record<string, Check> = {
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

  'carries messages of any length in order, on many tags at once': async ([a, b]) => {
    const lengths = Array.from({ length: 120 }, (_, i) => (i * 7919) % 3001)
    const received = [1, 2, 3].map(async (tag) => {
      for (const [i, length] of lengths.entries()) assertBytes(await b.receive(0, tag), pattern(length, i + tag))
    })
    const sent = lengths.flatMap((length, i) => [3, 1, 2].map((tag) => a.send(1, tag, pattern(length, i + tag))))
    await Promise.all([...received, ...sent])
  },

  'carries messages between all peers at once': async (group) => {
    await Promise.all(
      group.flatMap((from) =>
        group.flatMap((to) =>
          [0, 1, 2].flatMap(async (tag) => {
            const message = pattern(20_000 + tag, from.rank * 3 + to.rank)
            const received = to.receive(from.rank, tag)
            await from.send(to.rank, tag, message)
            assertBytes(await received, message)
          }),
        ),
      ),
    )
  },

  'carries tens of megabytes, both ways at once, with and without an array for them': async ([a, b]) => {
    const [there, back] = [pattern(24_000_001, 1), pattern(17_000_003, 2)]
    const into = new Uint8Array(there.length)
    const [first, second] = await Promise.all([
      b.receive(0, 0, into),
      a.receive(1, 0),
      a.send(1, 0, there),
      b.send(0, 0, back),
    ])
    assertBytes(first, there)
    assertBytes(second, back)
  },

  'takes what came before its receiver, into an array or not': async ([a, b]) => {
    const sent = [1, 2, 3].map((seed) => a.send(1, seed, pattern(3000, seed)))
    // The last one: by now the others are on their way or there.
    assertBytes(await b.receive(0, 3), pattern(3000, 3))
    const into = new Uint8Array(4000)
    assertBytes(await b.receive(0, 1, into), pattern(3000, 1))
    assertBytes(await b.receive(0, 2), pattern(3000, 2))
    await Promise.all(sent)
  },

  'holds a sender back whose receiver does not come': async ([a, b]) => {
    let taken = 0
    const sent = Array.from({ length: 64 }, async (_, i) => {
      await a.send(1, 0, pattern(1_000_000, i))
      taken++
    })
    for (let before = -1, same = 0; same < 20; same = before === taken ? same + 1 : 0) {
      before = taken
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    if (taken > 48) throw new Error(`${taken} of 64 megabytes were taken from a sender without a receiver`)
    for (let i = 0; i < 64; i++) assertBytes(await b.receive(0, 0), pattern(1_000_000, i))
    await Promise.all(sent)
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
    const waiting = assertFails(b.receive(0, 0), 0)
    await a.close()
    await waiting
    await assertFails(b.send(0, 0, Uint8Array.of(1)), 0)
    await assertFails(b.receive(0, 1), 0)
  },

  'delivers what a peer sent before it left': async ([a, b]) => {
    await a.send(1, 0, Uint8Array.of(4))
    await a.close()
    assertBytes(await b.receive(0, 0), Uint8Array.of(4))
    await assertFails(b.receive(0, 0), 0)
  },

  'fails its own operations when closed while busy, and closes twice': async ([a]) => {
    const waiting = assertFails(a.receive(1, 0))
    // Whether it was taken or not, it must not be waited for any longer.
    const sending = a.send(2, 0, pattern(24_000_000, 1)).catch(assertTransportError)
    await a.close()
    await a.close()
    await Promise.all([waiting, sending])
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

function pattern(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = i * 31 + (i >> 8) * 7 + seed * 13
  return bytes
}

async function assertFails(operation: Promise<unknown>, rank?: number): Promise<void> {
  const error = await operation.then(
    () => undefined,
    (thrown) => thrown,
  )
  assertTransportError(error)
  if (rank !== undefined && error.rank !== rank)
    throw new Error(`expected an error that names rank ${rank}, got rank ${error.rank}: ${error.message}`)
}

function assertTransportError(error: unknown): asserts error is TransportError {
  if (!(error instanceof TransportError)) throw new Error(`expected a TransportError, got ${String(error)}`)
}

function assertBytes(actual: Uint8Array, expected: Uint8Array): void {
  if (actual.length !== expected.length) throw new Error(`expected ${expected.length} bytes, got ${actual.length}`)
  for (let i = 0; i < expected.length; i++)
    if (actual[i] !== expected[i]) throw new Error(`expected ${expected[i]} at byte ${i}, got ${actual[i]}`)
}
