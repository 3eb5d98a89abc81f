/** Processes of one thread: groups form at a rendezvous, and a process can be cut off as if it were killed. */

import { ConfigError, type Deferred, deferred, TransportError } from '../../../src/core/index.js'
import { memoryTransports, type ProcessTransportFactory, type Transport } from '../../../src/transport/index.js'

interface Forming {
  places: Map<number, Deferred<Transport>>
}

export class MemoryNetwork {
  readonly #forming = new Map<string, Forming>()

  /** A process's way in, when it has come into its first group, and how to kill it. */
  process(rank: number, worldSize: number) {
    const ends: Transport[] = []
    const entered = deferred<void>()
    let isDead = false
    const factory: ProcessTransportFactory = {
      name: 'memory',
      kind: 'processes',
      place: () => ({ rank, worldSize, rendezvous: 'host:1000' }),
      join: async (place = {}, { signal } = {}) => {
        const end = await this.#join({ rank, worldSize, ...place }, signal)
        if (isDead) await new Promise(() => {})
        ends.push(end)
        entered.resolve()
        return end
      },
    }
    return {
      factory,
      entered: entered.promise,
      kill() {
        isDead = true
        for (const end of ends) end.abort(`rank ${rank} was killed`)
      },
    }
  }

  async #join(
    {
      rank,
      worldSize,
      rendezvous,
      generation,
    }: { rank: number; worldSize: number; rendezvous?: string; generation?: number },
    signal: AbortSignal | undefined,
  ): Promise<Transport> {
    const key = `${rendezvous} ${generation} ${worldSize}`
    const forming = this.#forming.get(key) ?? { places: new Map() }
    this.#forming.set(key, forming)
    if (forming.places.has(rank)) throw new ConfigError(`Another process has joined as rank ${rank} already.`)
    const place = deferred<Transport>()
    forming.places.set(rank, place)
    signal?.addEventListener('abort', () => {
      if (forming.places.get(rank) === place) forming.places.delete(rank)
      place.reject(new TransportError(`given up: ${signal.reason}`))
    })
    if (forming.places.size === worldSize) {
      this.#forming.delete(key)
      for (const [i, end] of memoryTransports(worldSize).entries()) forming.places.get(i)!.resolve(end)
      forming.places.clear()
    }
    return place.promise
  }
}
