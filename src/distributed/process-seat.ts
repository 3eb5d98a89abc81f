/** A process's way into the group that its launcher started. @module */

import { ConfigError } from '../core/index.js'
import type { Group } from '../training/index.js'
import type { ProcessTransportFactory, Transport } from '../transport/index.js'
import { withDevices } from './with-devices.js'

/** What a seat says of a group that may change. */
interface ElasticSeat {
  /** Steps between two states that the training can go back to. */
  readonly commitEverySteps: number
  /** Whether processes wait to be taken in. For the leader. */
  readonly hasNewcomers: boolean
}

/** Where a process sits. Kept from one `fit` or `evaluate` to the next. */
export abstract class ProcessSeat {
  /** Rank and size; one process alone until they are known. */
  abstract readonly group: Group
  /** Whether this process leads. Known once `prepare` is done. */
  abstract readonly leads: boolean
  #joining: Promise<Transport> | undefined

  /** Set where the group may lose processes and take in others. */
  get elastic(): ElasticSeat | undefined {
    return undefined
  }

  /** Finds out who leads. */
  async prepare(): Promise<void> {}

  /** This process's end of the group: the one that there is, else that of the next group that forms. */
  enter(): Promise<Transport> {
    if (this.#joining) return this.#joining
    const joining = this.join().then(withDevices)
    this.#joining = joining
    // Who enters after a failure tries again.
    joining.catch(() => {
      if (this.#joining === joining) this.#joining = undefined
    })
    return joining
  }

  /** Leaves the group, so that the next `enter` waits for another. */
  async leave(): Promise<void> {
    const joining = this.#joining
    this.#joining = undefined
    // Whoever entered has had the error.
    await (await joining?.catch(() => undefined))?.close()
  }

  async close(): Promise<void> {
    await this.leave()
  }

  /** Takes part in the next group that forms. */
  protected abstract join(): Promise<Transport>
}

/** A seat in the group of all processes that were launched: it joins at the first use, and again once it has left. */
export class FixedSeat extends ProcessSeat {
  readonly #factory: ProcessTransportFactory
  readonly #workers: number | undefined
  #group: Group = { rank: 0, size: 1, generation: 0 }

  /** @param workers - How many processes the script says there are, where it does. */
  constructor(factory: ProcessTransportFactory, workers: number | undefined) {
    super()
    this.#factory = factory
    this.#workers = workers
  }

  get group(): Group {
    return this.#group
  }

  get leads(): boolean {
    return this.#group.rank === 0
  }

  override async prepare(): Promise<void> {
    await this.enter()
  }

  protected async join(): Promise<Transport> {
    const transport = await this.#factory.join()
    const { rank, worldSize } = transport
    if (this.#workers !== undefined && this.#workers !== worldSize) {
      await transport.close()
      throw new ConfigError('The number of workers contradicts the number of processes.', {
        expected: `${worldSize}, as many as were launched`,
        received: this.#workers,
        remedy: 'Leave workers out: with this transport each process is a worker',
      })
    }
    this.#group = { rank, size: worldSize, generation: 0 }
    return transport
  }
}
