/** What the processes of a group say to each other, besides the sums of their strategy. @module */

import { createCollectives } from '../collectives/index.js'
import type { SerializedError } from '../core/index.js'
import type { Transport } from '../transport/index.js'
import type { Belongings } from './fingerprint.js'
import { pack, unpack } from './pack.js'
import type { Command } from './worker-protocol.js'

/** The tag of everything that leader and followers say to each other. Collectives have the one above. */
const TAG = 2 ** 31 - 2

/** The crew's methods that all processes run together. */
export type Shared = Exclude<Command, 'engine' | 'close'>

/** What the leader says. */
export type Announcement =
  | { command: Shared; arguments: unknown[] }
  /** To come together anew, with those who wait. */
  | { regroup: true }
  | { result: unknown }
  | { error: SerializedError }

/** What a follower says once it has loaded its data. */
export type Report = { brings: Belongings } | { error: SerializedError }

/** The talk between the leader, rank 0, and its followers. Announcements go down a binary tree of ranks. */
export class GroupTalk {
  readonly rank: number
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.rank = transport.rank
    this.#transport = transport
  }

  /** Tells all followers. For the leader. */
  async announce(announcement: Announcement): Promise<void> {
    await this.#passOn(pack(announcement))
  }

  /** What the leader says next; those below hear it too. */
  async hear(): Promise<Announcement> {
    const message = await this.#transport.receive((this.rank - 1) >> 1, TAG)
    await this.#passOn(message)
    return unpack(message) as Announcement
  }

  /** Tells the leader. */
  async report(report: Report): Promise<void> {
    await this.#transport.send(0, TAG, pack(report))
  }

  /** One report of each follower, in rank order. For the leader. */
  async hearReports(): Promise<Report[]> {
    const reports: Report[] = []
    for (let rank = 1; rank < this.#transport.worldSize; rank++)
      reports.push(unpack(await this.#transport.receive(rank, TAG)) as Report)
    return reports
  }

  /** The numbers of every process, in rank order; as many from each. */
  async gather(own: number[]): Promise<number[][]> {
    const all = await createCollectives(this.#transport).allGather(Float64Array.from(own))
    return Array.from({ length: this.#transport.worldSize }, (_, rank) =>
      Array.from(all.subarray(rank * own.length, (rank + 1) * own.length)),
    )
  }

  /** Ends the group for all. */
  abort(reason: string): void {
    this.#transport.abort(reason)
  }

  async #passOn(message: Uint8Array): Promise<void> {
    const children = [2 * this.rank + 1, 2 * this.rank + 2].filter((child) => child < this.#transport.worldSize)
    await Promise.all(children.map((child) => this.#transport.send(child, TAG, message)))
  }
}
