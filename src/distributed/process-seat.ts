/** A process's way into the group that its launcher started. @module */

import { ConfigError } from '../core/index.js'
import type { Group } from '../training/index.js'
import type { ProcessTransportFactory, Transport } from '../transport/index.js'

/** Where a process sits. Kept from one `fit` or `evaluate` to the next. */
export interface ProcessSeat {
  /** Rank and size; one process alone until they are known. */
  readonly group: Group
  /** Whether this process leads. Known once `prepare` is done. */
  readonly leads: boolean
  /** Set where the group may lose processes and take in others. */
  readonly elastic?: {
    /** Steps between two states that the training can go back to. */
    readonly commitEverySteps: number
    /** Whether processes wait to be taken in. For the leader. */
    readonly hasNewcomers: boolean
  }
  /** Finds out who leads. */
  prepare(): Promise<void>
  /** This process's end of the group: the one that there is, else that of the next group that forms. */
  enter(): Promise<Transport>
  /** Leaves the group, so that the next `enter` waits for another. For elastic seats. */
  leave(): Promise<void>
  close(): Promise<void>
}

/** A seat in a group that never changes: it joins at the first use. */
export class FixedSeat implements ProcessSeat {
  readonly #factory: ProcessTransportFactory
  readonly #workers: number | undefined
  #joining: Promise<Transport> | undefined
  #group: Group = { rank: 0, size: 1, generation: 0 }

  /** @param workers - How many processes the script says there are, where it does. */
  constructor(factory: ProcessTransportFactory, workers: number | undefined) {
    this.#factory = factory
    this.#workers = workers
  }

  get group(): Group {
    return this.#group
  }

  get leads(): boolean {
    return this.#group.rank === 0
  }

  async prepare(): Promise<void> {
    await this.enter()
  }

  enter(): Promise<Transport> {
    this.#joining ??= this.#join()
    return this.#joining
  }

  async leave(): Promise<void> {}

  async close(): Promise<void> {
    const joining = this.#joining
    this.#joining = undefined
    // Whoever entered has had the error.
    await (await joining?.catch(() => undefined))?.close()
  }

  async #join(): Promise<Transport> {
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
