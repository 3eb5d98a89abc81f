/**
 * Signs of life that do not wait for the thread of the training.
 *
 * A step may hold its thread for many seconds. So a thread of its own sends a datagram to every peer a few times in the
 * time of silence that is allowed: who computes is told from who is stopped or cut off. Datagrams are numbered, and
 * signed with a key that rank 0 makes for each group. Where they do not get through, only what comes over the sockets
 * counts.
 * @module
 */

import { createHmac } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import type { Address } from './address.js'

/** What a heart must know. */
export interface HeartOptions {
  rank: number
  /** Where all ranks listen, to datagrams as to connections. */
  addresses: readonly Address[]
  /** Where this one does. */
  bind: Address
  /** Made by rank 0. */
  key: string
  secret: string
  everyMs: number
}

interface HeartData {
  rank: number
  addresses: readonly Address[]
  bind: Address
  key: Uint8Array
  everyMs: number
  /** When each rank was heard last, in milliseconds of a clock that all threads share. */
  heardAt: Int32Array
}

/** Beats until it is stopped, whatever the main thread does. */
export class Heart {
  /** By the clock; nobody is heard that early. */
  readonly #startedAt = clock()
  readonly #heardAt: Int32Array
  readonly #worker: Worker

  constructor({ rank, addresses, bind, key, secret, everyMs }: HeartOptions) {
    this.#heardAt = new Int32Array(new SharedArrayBuffer(4 * addresses.length)).fill(this.#startedAt)
    const workerData: HeartData = {
      rank,
      addresses,
      bind,
      // Whoever may read the key on its way does not know the secret.
      key: createHmac('sha256', secret).update(`dcml heart ${key}`).digest(),
      everyMs,
      heardAt: this.#heardAt,
    }
    // From its text, so that it is there in every build; it uses nothing of this module.
    this.#worker = new Worker(`(${beat})(require)`, { eval: true, workerData, name: 'dcml heart' })
    this.#worker.unref()
    // Without it the sockets are listened to all the same.
    this.#worker.on('error', () => {})
  }

  /** How long a rank has sent no datagram, in milliseconds; from the start on if it never did. */
  silenceMs(rank: number): number {
    return (clock() - Atomics.load(this.#heardAt, rank)) | 0
  }

  /** Whether a datagram of a rank ever came. */
  hasHeard(rank: number): boolean {
    return Atomics.load(this.#heardAt, rank) !== this.#startedAt
  }

  /** Resolves when the port is free for another. */
  async stop(): Promise<void> {
    await this.#worker.terminate()
  }
}

const clock = () => Number(process.hrtime.bigint() / 1_000_000n) | 0

/** What the thread runs. */
function beat(load: NodeJS.Require): void {
  const { createSocket } = load('node:dgram') as typeof import('node:dgram')
  const crypto = load('node:crypto') as typeof import('node:crypto')
  const { workerData } = load('node:worker_threads') as typeof import('node:worker_threads')
  const { rank, addresses, bind, key, everyMs, heardAt } = workerData as HeartData

  const BODY_BYTES = 8
  const MAC_BYTES = 32
  const sign = (body: Uint8Array) => crypto.createHmac('sha256', key).update(body).digest()
  const socket = createSocket(bind.host.includes(':') ? 'udp6' : 'udp4')
  const last = new Map<number, number>()
  socket.on('message', (datagram) => {
    if (datagram.length !== BODY_BYTES + MAC_BYTES) return
    const body = datagram.subarray(0, BODY_BYTES)
    const from = body.readUInt32LE(0)
    const count = body.readUInt32LE(4)
    if (from >= heardAt.length || count <= (last.get(from) ?? 0)) return
    if (!crypto.timingSafeEqual(sign(body), datagram.subarray(BODY_BYTES))) return
    last.set(from, count)
    Atomics.store(heardAt, from, Number(process.hrtime.bigint() / 1_000_000n) | 0)
  })
  // The port may be taken, the network may carry no datagrams: then there are none.
  socket.on('error', () => socket.close())
  let count = 0
  socket.bind(bind.port, bind.host, () => {
    setInterval(() => {
      const body = Buffer.alloc(BODY_BYTES)
      body.writeUInt32LE(rank, 0)
      body.writeUInt32LE(++count, 4)
      const datagram = Buffer.concat([body, sign(body)])
      addresses.forEach(({ host, port }, to) => {
        if (to !== rank) socket.send(datagram, port, host, () => {})
      })
    }, everyMs)
  })
}
