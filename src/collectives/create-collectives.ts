/** Collectives from messages: picks an algorithm for each call. @module */

import { ConfigError } from '../core/index.js'
import {
  type Collectives,
  checkParts,
  checkShards,
  type ReduceOperation,
  type ReduceOptions,
  type Reducible,
  type Shard,
  type Transport,
  type WireFormat,
} from '../transport/index.js'
import { directAllReduce, directReduceScatter } from './direct.js'
import { directAllGather, directAllToAll, disseminationBarrier, scatterBroadcast } from './gather.js'
import { doublingAllReduce, halvingDoublingAllReduce } from './halving-doubling.js'
import { groupsByHost, type Hierarchy, hierarchicalAllReduce, hierarchyOf, type RankGroups } from './hierarchical.js'
import { fastestAllReduce, isScatterFaster, type LinkModel, measureLink } from './link-model.js'
import { Messages, shareOfArray } from './messages.js'
import { ringAllReduce } from './ring.js'
import { RoundedMessages } from './rounded-messages.js'
import { sumShards } from './shard-sum.js'
import { treeAllReduce, treeBroadcast } from './tree.js'

const allReduces = {
  ring: ringAllReduce,
  tree: treeAllReduce,
  doubling: doublingAllReduce,
  'halving-doubling': halvingDoublingAllReduce,
  direct: directAllReduce,
}

/** How all-reduce goes about it. */
export type AllReduceAlgorithm = 'ring' | 'tree' | 'doubling' | 'halving-doubling' | 'direct' | 'hierarchical'

/** Options of `createCollectives`. The same on every rank. */
export interface CollectivesOptions {
  /**
   * 'auto' takes what the transport does itself; else, where several machines have several ranks each, 'hierarchical';
   * else the fastest for the length and world size on the link, among those whose results have the same bits: 'tree',
   * 'doubling', 'halving-doubling' and 'direct'. 'ring' suits networks in which not all ranks can speak at once.
   * @default 'auto'
   */
  algorithm?: 'auto' | AllReduceAlgorithm
  /** The link by which 'auto' chooses. @default measured at the first call, with a few exchanges */
  link?: LinkModel
  /** The ranks of each machine. @default by the `host` of the transports, where they have one */
  groups?: RankGroups
}

/**
 * Makes collective operations over any transport, for any world size and length.
 *
 * @example
 * const collectives = createCollectives(transport)
 * await collectives.allReduce(gradients, { op: 'mean' })
 */
export function createCollectives(transport: Transport, options: CollectivesOptions = {}): Collectives {
  if ((options.algorithm ?? 'auto') === 'auto' && transport.native) return transport.native
  return new MessageCollectives(transport, options)
}

class MessageCollectives implements Collectives {
  readonly #messages: Messages
  readonly #rounded: { [format in WireFormat]?: Messages } = {}
  readonly #algorithm: 'auto' | AllReduceAlgorithm
  #link: LinkModel | undefined
  /** Undefined until it was looked for, null where there is none. */
  #hierarchy: Hierarchy | null | undefined
  /** The operation before: calls may overlap, their messages must not. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(transport: Transport, { algorithm = 'auto', link, groups }: CollectivesOptions) {
    this.#messages = new Messages(transport)
    this.#algorithm = algorithm
    this.#link = link
    if (groups) this.#hierarchy = hierarchyOf(transport, groups)
  }

  async allReduce(array: Reducible, { op = 'sum', wire = 'float32' }: ReduceOptions = {}): Promise<void> {
    return this.#afterLast(this.#messagesFor(array, wire), async (messages) => {
      const { worldSize } = messages
      if (worldSize === 1) return
      if (wire !== 'float32') return directAllReduce(messages, array, op)
      if (this.#algorithm !== 'auto' && this.#algorithm !== 'hierarchical')
        return allReduces[this.#algorithm](messages, array, op)
      // Both are found by all ranks together, before some of them have nothing to do.
      const link = await this.#findLink()
      const hierarchy = await this.#findHierarchy()
      const fastest = (among: Messages, part: Reducible, operation: ReduceOperation) =>
        allReduces[fastestAllReduce({ bytes: part.byteLength, worldSize: among.worldSize, link })](
          among,
          part,
          operation,
        )
      if (hierarchy) await hierarchicalAllReduce(hierarchy, array, { op, worldSize, allReduce: fastest })
      else await fastest(messages, array, op)
    })
  }

  async allReduceShards(shards: readonly Shard[], total: number, into: Float32Array): Promise<void> {
    checkShards(shards, total, this.#messages)
    return this.#afterLast(this.#messages, (messages) => sumShards(messages, { shards, total, into }))
  }

  async reduceScatter<T extends Reducible>(array: T, { op = 'sum', wire = 'float32' }: ReduceOptions = {}): Promise<T> {
    return this.#afterLast(this.#messagesFor(array, wire), async (messages) => {
      await directReduceScatter(messages, array, { op })
      return shareOfArray(array, messages.rank, messages.worldSize)
    })
  }

  allGather<T extends Reducible>(array: T, { into }: { into?: T } = {}): Promise<T> {
    return this.#afterLast(this.#messages, (messages) => directAllGather(messages, array, into))
  }

  broadcast(array: Reducible, root: number): Promise<void> {
    return this.#afterLast(this.#messages, async (messages) => {
      const { worldSize } = messages
      const isScattered =
        worldSize > 2 && isScatterFaster({ bytes: array.byteLength, worldSize, link: await this.#findLink() })
      await (isScattered ? scatterBroadcast : treeBroadcast)(messages, array, root)
    })
  }

  async allToAll<T extends Reducible>(parts: readonly T[]): Promise<T[]> {
    checkParts(parts, this.#messages.worldSize)
    return this.#afterLast(this.#messages, (messages) => directAllToAll(messages, parts))
  }

  barrier(): Promise<void> {
    return this.#afterLast(this.#messages, disseminationBarrier)
  }

  /** The link, measured when it is first needed, which is at the same call on every rank. */
  async #findLink(): Promise<LinkModel> {
    this.#link ??= await measureLink(this.#messages.transport)
    return this.#link
  }

  /** The links inside and between machines, where there are several machines and several ranks on one. */
  async #findHierarchy(): Promise<Hierarchy | null> {
    if (this.#hierarchy !== undefined) return this.#hierarchy
    const { worldSize, transport } = this.#messages
    const { host } = transport
    const allGather = (array: Int32Array) => directAllGather(this.#messages, array)
    const groups = host === undefined ? [] : await groupsByHost(allGather, { host, worldSize })
    const isLayered = this.#algorithm === 'hierarchical' || (groups.length > 1 && groups.length < worldSize)
    const everyone = Array.from({ length: worldSize }, (_, rank) => rank)
    this.#hierarchy = isLayered ? hierarchyOf(transport, groups.length > 0 ? groups : [everyone]) : null
    return this.#hierarchy
  }

  #messagesFor(array: Reducible, wire: WireFormat): Messages {
    if (wire === 'float32' || this.#messages.worldSize === 1) return this.#messages
    if (!(array instanceof Float32Array))
      throw new ConfigError(`Only float32 values travel as ${wire}.`, { received: array.constructor.name })
    this.#rounded[wire] ??= new RoundedMessages(this.#messages.transport, wire)
    return this.#rounded[wire]
  }

  /** Calls go one after another. Once one has failed, messages of it may be left: then all later ones fail as it did. */
  #afterLast<T>(messages: Messages, operation: (messages: Messages) => Promise<T>): Promise<T> {
    const result = this.#last.then(async () => {
      const done = await operation(messages)
      await messages.settle()
      return done
    })
    this.#last = result
    result.catch(() => {})
    return result
  }
}
