/** Some of a group's ranks as a group of their own. @module */

import { ConfigError, TransportError } from '../core/index.js'
import type { Transport } from '../transport/index.js'
import { COLLECTIVE_TAG } from './messages.js'

/** Tags of sub-groups begin here; each sub-group of two peers has so many of them. */
const FIRST_TAG = 2 ** 30
const TAGS = 2 ** 12
const MOST_SUBGROUPS = FIRST_TAG / TAGS - 1

/** How many sub-groups a rank's end has made with each peer. */
const counts = new WeakMap<Transport, Uint32Array>()

/**
 * A transport between some of the ranks of another, numbered from 0 in the order in which they are given.
 *
 * Its messages travel over the other transport and are told apart from those of other groups by their tags: two peers
 * count the sub-groups that they have in common. So every rank makes the sub-groups that it belongs to in the same
 * order, and ranks that do not belong to one do nothing. Its tags are below 4095. `abort` ends the whole group; `close`
 * ends the use of this end alone. It has no native collectives: where those of the whole group block their thread
 * (`sharedMemory()`), await what is under way in sub-groups before calling them.
 *
 * @param ranks - Ranks of `transport`, each once, its own among them.
 * @throws {ConfigError} if they are not.
 * @example
 * const rows = subgroup(transport, [0, 1])
 * await createCollectives(rows).allReduce(values)
 */
export function subgroup(transport: Transport, ranks: readonly number[]): Transport {
  const isRank = (rank: number) => Number.isInteger(rank) && rank >= 0 && rank < transport.worldSize
  if (!ranks.every(isRank) || new Set(ranks).size !== ranks.length || !ranks.includes(transport.rank))
    throw new ConfigError('The ranks of a sub-group are wrong.', {
      expected: `ranks from 0 to ${transport.worldSize - 1}, each once, ${transport.rank} among them`,
      received: ranks,
    })
  // A sub-group of a sub-group counts with the others of the whole group.
  if (transport instanceof SubgroupTransport)
    return new SubgroupTransport(
      transport.whole,
      ranks.map((rank) => transport.ranks[rank]!),
    )
  return new SubgroupTransport(transport, ranks)
}

class SubgroupTransport implements Transport {
  readonly whole: Transport
  readonly ranks: readonly number[]
  readonly rank: number
  readonly worldSize: number
  readonly host?: string
  /** The number of this sub-group among those with each peer. */
  readonly #numbers: number[]
  #isClosed = false

  constructor(whole: Transport, ranks: readonly number[]) {
    this.whole = whole
    this.ranks = [...ranks]
    this.rank = ranks.indexOf(whole.rank)
    this.worldSize = ranks.length
    if (whole.host !== undefined) this.host = whole.host
    const made = counts.get(whole) ?? new Uint32Array(whole.worldSize)
    counts.set(whole, made)
    this.#numbers = ranks.map((rank) => made[rank]!++)
    if (Math.max(...this.#numbers) >= MOST_SUBGROUPS)
      throw new ConfigError('Two ranks have too many sub-groups in common.', {
        expected: `at most ${MOST_SUBGROUPS}`,
        remedy: 'Keep a sub-group instead of making it anew',
      })
  }

  async send(to: number, tag: number, bytes: Uint8Array): Promise<void> {
    return this.whole.send(this.#rankOf(to), this.#tag(to, tag), bytes)
  }

  async receive(from: number, tag: number, into?: Uint8Array): Promise<Uint8Array> {
    return this.whole.receive(this.#rankOf(from), this.#tag(from, tag), into)
  }

  abort(reason: string): void {
    this.whole.abort(reason)
  }

  async close(): Promise<void> {
    this.#isClosed = true
  }

  #rankOf(rank: number): number {
    if (this.#isClosed) throw new TransportError('The sub-group is closed.')
    const whole = this.ranks[rank]
    if (whole !== undefined) return whole
    throw new TransportError('There is no such rank.', { expected: `0 to ${this.worldSize - 1}`, received: rank })
  }

  #tag(peer: number, tag: number): number {
    const within = tag === COLLECTIVE_TAG ? TAGS - 1 : tag
    if (within >= TAGS || (within === TAGS - 1 && tag !== COLLECTIVE_TAG))
      throw new TransportError('A sub-group has no such tag.', { expected: `0 to ${TAGS - 2}`, received: tag })
    return FIRST_TAG + this.#numbers[peer]! * TAGS + within
  }
}
