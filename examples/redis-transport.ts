/**
 * A transport of one's own: processes that share nothing but a Redis server (`npm install ioredis`).
 *
 * Slower than tcp(), and able to join ranks that reach the server but not each other. It passes `testTransport` of
 * 'dcml/testing' (tests/conformance/redis.test.ts), and goes wherever dcml takes a transport of processes.
 */

import { setTimeout as pause } from 'node:timers/promises'
import { Mailbox, type ProcessTransportFactory, type Transport, TransportError, type TransportOptions } from 'dcml'
import { processPlace } from 'dcml/node'
import { Redis } from 'ioredis'

// A rank renews its sign of life every second, and counts as lost when three have failed to come.
const BEAT_MS = 1000
const LIFE_MS = 3500
const JOIN_MS = 300_000
const BYE = 2 ** 31
const ABORT = 2 ** 31 + 1

/** `job` is a name that no other job on the server has; a job that starts again takes a new one. */
export interface RedisOptions extends TransportOptions {
  url: string
  job: string
}

export function redis(options: RedisOptions): ProcessTransportFactory {
  return {
    name: 'redis',
    kind: 'processes',
    async join(place) {
      const { rank, worldSize } = { rank: 0, worldSize: 1, ...processPlace(), ...place }
      const end = new RedisTransport(rank, worldSize, options)
      await end.meet()
      return end
    },
  }
}

class RedisTransport implements Transport {
  readonly #mailbox: Mailbox
  readonly #out: Redis
  readonly #in: Redis
  readonly #key: (kind: 'inbox' | 'life', rank: number) => string
  readonly #present: Set<number>
  #heart: ReturnType<typeof setInterval> | undefined
  #failure: TransportError | undefined

  constructor(
    readonly rank: number,
    readonly worldSize: number,
    { url, job, timeoutMs }: RedisOptions,
  ) {
    this.#mailbox = new Mailbox(timeoutMs)
    this.#key = (kind, of) => `dcml:${job}:${kind}:${of}`
    this.#present = new Set(Array.from({ length: worldSize }, (_, peer) => peer))
    // One connection waits for what comes, the other does the rest.
    this.#out = new Redis(url, { connectionName: `${job}:${rank}`, retryStrategy: () => null })
    this.#in = this.#out.duplicate()
    for (const connection of [this.#out, this.#in])
      connection.on('error', (cause) => this.#fail(new TransportError('The Redis server is gone.', { cause })))
  }

  async meet(): Promise<void> {
    const deadline = performance.now() + JOIN_MS
    for (let missing = await this.#beat(); missing !== undefined; missing = await this.#beat()) {
      if (performance.now() > deadline) throw new TransportError(`Rank ${missing} did not come.`, { rank: missing })
      await pause(50)
    }
    void this.#read()
    this.#heart = setInterval(async () => {
      const rank = await this.#beat().catch(() => undefined)
      if (rank !== undefined) this.#fail(new TransportError(`Rank ${rank} gives no sign of life.`, { rank }))
    }, BEAT_MS)
  }

  async send(to: number, tag: number, bytes: Uint8Array): Promise<void> {
    this.#check(to)
    if (!this.#present.has(to)) throw gone(to)
    await this.#post(to, tag, bytes)
  }

  async receive(from: number, tag: number, into?: Uint8Array): Promise<Uint8Array> {
    this.#check(from)
    return this.#mailbox.receive(from, tag, into)
  }

  abort(reason: string): void {
    for (const peer of this.#present) void this.#post(peer, ABORT, Buffer.from(reason)).catch(() => {})
    this.#fail(new TransportError(`The group was ended: ${reason}`))
  }

  async close(): Promise<void> {
    clearInterval(this.#heart)
    if (this.#out.status === 'end') return
    const byes = this.#failure ? [] : [...this.#present].map((peer) => this.#post(peer, BYE, Buffer.alloc(0)))
    this.#fail(new TransportError('The transport is closed.'))
    await Promise.allSettled([...byes, this.#out.quit()])
    this.#in.disconnect()
  }

  /** Shows that this rank lives; returns one that does not. */
  async #beat(): Promise<number | undefined> {
    await this.#out.set(this.#key('life', this.rank), 1, 'PX', LIFE_MS)
    const peers = [...this.#present]
    const signs = await this.#out.mget(peers.map((peer) => this.#key('life', peer)))
    return peers.find((peer, i) => signs[i] === null && this.#present.has(peer))
  }

  async #post(to: number, tag: number, bytes: Uint8Array): Promise<void> {
    const head = new Uint8Array(Uint32Array.of(this.rank, tag).buffer)
    await this.#out.rpush(this.#key('inbox', to), Buffer.concat([head, bytes]))
  }

  async #read(): Promise<void> {
    for (;;) {
      const popped = await this.#in.blpopBuffer(this.#key('inbox', this.rank), 0).catch(() => null)
      if (!popped) return
      const [from, tag, bytes] = [
        popped[1].readUInt32LE(0),
        popped[1].readUInt32LE(4),
        Uint8Array.from(popped[1]).subarray(8),
      ]
      if (tag === ABORT) this.#fail(new TransportError(`The group was ended: ${new TextDecoder().decode(bytes)}`))
      else if (tag === BYE) {
        this.#present.delete(from)
        this.#mailbox.fail(gone(from), from)
      } else this.#mailbox.deliver(from, tag, bytes.slice())
    }
  }

  #fail(error: TransportError): void {
    this.#failure ??= error
    this.#mailbox.fail(this.#failure)
  }

  #check(rank: number): void {
    if (this.#failure) throw this.#failure
    if (!(Number.isInteger(rank) && rank >= 0 && rank < this.worldSize))
      throw new TransportError('There is no such rank.', { expected: `0 to ${this.worldSize - 1}`, received: rank })
  }
}

const gone = (rank: number) => new TransportError(`Rank ${rank} has left the group.`, { rank })
