/**
 * A transport of one's own: processes that share nothing but a Redis server (`npm install ioredis`).
 *
 * Slower than tcp(), and able to join ranks that reach the server but not each other. It passes `testTransport` of
 * 'dcml/testing' (tests/conformance/redis.test.ts), and goes wherever dcml takes a transport of processes.
 */

import { setTimeout as pause } from 'node:timers/promises'
import { MessageTransport, type ProcessTransportFactory, TransportError, type TransportOptions } from 'dcml'
import { processPlace } from 'dcml/node'
import { Redis } from 'ioredis'

// A rank renews its sign of life every second, and counts as lost when three have failed to come.
const BEAT_MS = 1000
const LIFE_MS = 3500
const JOIN_MS = 300_000

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
      const end = new RedisTransport({ rank: 0, worldSize: 1, ...processPlace(), ...place, ...options })
      await end.meet()
      return end
    },
  }
}

/** Each rank has a list on the server, its inbox, and a key that lives for as long as it renews it. */
class RedisTransport extends MessageTransport {
  readonly #out: Redis
  readonly #in: Redis
  readonly #key: (kind: 'inbox' | 'life', rank: number) => string
  #heart: ReturnType<typeof setInterval> | undefined

  constructor(options: { rank: number; worldSize: number } & RedisOptions) {
    super(options)
    const { rank, url, job } = options
    this.#key = (kind, of) => `dcml:${job}:${kind}:${of}`
    // One connection waits for what comes, the other does the rest.
    this.#out = new Redis(url, { connectionName: `${job}:${rank}`, retryStrategy: () => null })
    this.#in = this.#out.duplicate()
    for (const connection of [this.#out, this.#in])
      connection.on('error', (cause) => this.fail(new TransportError('The Redis server is gone.', { cause })))
  }

  /** Returns when all ranks have come. */
  async meet(): Promise<void> {
    const deadline = performance.now() + JOIN_MS
    for (let missing = await this.#beat(); missing !== undefined; missing = await this.#beat()) {
      if (performance.now() > deadline) throw new TransportError(`Rank ${missing} did not come.`, { rank: missing })
      await pause(50)
    }
    void this.#read()
    this.#heart = setInterval(async () => {
      const rank = await this.#beat().catch(() => undefined)
      if (rank !== undefined) this.fail(new TransportError(`Rank ${rank} gives no sign of life.`, { rank }))
    }, BEAT_MS)
  }

  protected async carry(to: number, bytes: Uint8Array): Promise<void> {
    await this.#out.rpush(this.#key('inbox', to), Buffer.from(bytes))
  }

  protected async disconnect(): Promise<void> {
    clearInterval(this.#heart)
    await this.#out.quit().catch(() => {})
    this.#in.disconnect()
  }

  /** Shows that this rank lives; returns one that does not. */
  async #beat(): Promise<number | undefined> {
    await this.#out.set(this.#key('life', this.rank), 1, 'PX', LIFE_MS)
    const peers = this.present
    const signs = await this.#out.mget([this.rank, ...peers].map((peer) => this.#key('life', peer)))
    return peers.find((peer, i) => signs[i + 1] === null && this.present.includes(peer))
  }

  async #read(): Promise<void> {
    for (;;) {
      const popped = await this.#in.blpopBuffer(this.#key('inbox', this.rank), 0).catch(() => null)
      if (!popped) return
      this.arrived(popped[1])
    }
  }
}
