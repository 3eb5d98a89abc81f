/** A transport that counts what is sent over it. @module */

import type { Collectives, Reducible, Transport } from '../transport/index.js'

/** Passes everything on, and counts the bytes of this peer. */
export class CountedTransport implements Transport {
  readonly rank: number
  readonly worldSize: number
  readonly host?: string
  readonly native?: Collectives
  readonly #transport: Transport
  #sentBytes = 0

  /** @param options - `native`: whether to offer the transport's own collectives. */
  constructor(transport: Transport, { native }: { native: boolean }) {
    this.rank = transport.rank
    this.worldSize = transport.worldSize
    this.#transport = transport
    if (transport.host !== undefined) this.host = transport.host
    if (native && transport.native) this.native = this.#counted(transport.native)
  }

  /** What this peer has sent; for collectives of the transport's own what a ring would send. */
  get sentBytes(): number {
    return this.#sentBytes
  }

  send(to: number, tag: number, bytes: Uint8Array): Promise<void> {
    this.#sentBytes += bytes.length
    return this.#transport.send(to, tag, bytes)
  }

  receive(from: number, tag: number, into?: Uint8Array): Promise<Uint8Array> {
    return this.#transport.receive(from, tag, into)
  }

  abort(reason: string): void {
    this.#transport.abort(reason)
  }

  close(): Promise<void> {
    return this.#transport.close()
  }

  /** A proxy, so that it lacks no operation that collectives may get. */
  #counted(native: Collectives): Collectives {
    const others = this.worldSize - 1
    const reduced = ({ byteLength }: Reducible) => (byteLength * 2 * others) / this.worldSize
    const sent: { [Name in keyof Collectives]?: (...values: Parameters<Collectives[Name] & {}>) => number } = {
      allReduce: reduced,
      allReduceNow: reduced,
      allReduceShards: (_shards, _total, into) => reduced(into),
      reduceScatter: ({ byteLength }) => (byteLength * others) / this.worldSize,
      allGather: ({ byteLength }) => byteLength * others,
      broadcast: ({ byteLength }) => (byteLength * others) / this.worldSize,
      allToAll: (parts) => parts.reduce((sum, { byteLength }, rank) => sum + (rank === this.rank ? 0 : byteLength), 0),
    }
    return new Proxy(native, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name)
        if (typeof value !== 'function') return value
        return (...values: unknown[]) => {
          const count = sent[name as keyof Collectives] as ((...values: unknown[]) => number) | undefined
          this.#sentBytes += count?.(...values) ?? 0
          return value.apply(target, values)
        }
      },
    })
  }
}
