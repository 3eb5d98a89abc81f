/** This process's place in the group that its launcher started. @module */

import { ConfigError } from '../core/index.js'
import type { Group } from '../training/index.js'
import type { ProcessTransportFactory, Transport } from '../transport/index.js'

/** Joins the group at the first use and keeps the place, for later calls of `fit` and `evaluate`, until it is closed. */
export class ProcessSeat {
  readonly #factory: ProcessTransportFactory
  readonly #workers: number | undefined
  #joining: Promise<Transport> | undefined
  #group: Group = { rank: 0, size: 1, generation: 0 }

  /** @param workers - How many processes the script says there are, where it does. */
  constructor(factory: ProcessTransportFactory, workers: number | undefined) {
    this.#factory = factory
    this.#workers = workers
  }

  /** Rank and size are known once it has joined. */
  get group(): Group {
    return this.#group
  }

  join(): Promise<Transport> {
    this.#joining ??= this.#join()
    return this.#joining
  }

  async close(): Promise<void> {
    const joining = this.#joining
    this.#joining = undefined
    await (await joining)?.close()
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
