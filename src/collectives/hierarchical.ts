/** All-reduce inside each machine first, so that less crosses the slower links between machines. @module */

import { ConfigError } from '../core/index.js'
import { divideMean, type ReduceOperation, type Reducible, type Transport } from '../transport/index.js'
import { directReduceScatter } from './direct.js'
import { Messages, shareOfArray } from './messages.js'
import { subgroup } from './subgroup.js'
import { treeBroadcast, treeReduce } from './tree.js'

/** All ranks, each in one of the groups; in each group the ranks of one machine. */
export type RankGroups = readonly (readonly number[])[]

type AllReduce = (messages: Messages, array: Reducible, op: ReduceOperation) => Promise<void>

/** The links of one rank. */
export interface Hierarchy {
  /** To the ranks of its machine. */
  readonly local: Messages
  /** To one rank of each other machine, where this rank speaks for its own. */
  readonly across?: Messages
  /** Whether all machines have as many ranks: then each rank speaks for its machine about one share. */
  readonly isEven: boolean
}

/** Makes the links of a rank. @throws {ConfigError} if a rank is in no group or in several. */
export function hierarchyOf(transport: Transport, groups: RankGroups): Hierarchy {
  const ranks = groups.flat().sort((a, b) => a - b)
  if (ranks.length !== transport.worldSize || ranks.some((rank, i) => rank !== i))
    throw new ConfigError('The groups of ranks are wrong.', {
      expected: `each rank from 0 to ${transport.worldSize - 1} in one group`,
      received: groups,
    })
  const own = groups.find((group) => group.includes(transport.rank))!
  const place = own.indexOf(transport.rank)
  const isEven = groups.every(({ length }) => length === own.length)
  const local = new Messages(subgroup(transport, own))
  if (place > 0 && !isEven) return { local, isEven }
  return {
    local,
    across: new Messages(
      subgroup(
        transport,
        groups.map((group) => group[place]!),
      ),
    ),
    isEven,
  }
}

/** Combines the arrays of all ranks, in place. @param allReduce - Combines between machines. */
export async function hierarchicalAllReduce(
  { local, across, isEven }: Hierarchy,
  array: Reducible,
  { op, worldSize, allReduce }: { op: ReduceOperation; worldSize: number; allReduce: AllReduce },
): Promise<void> {
  const partial = op === 'mean' ? 'sum' : op
  if (!isEven) {
    await treeReduce(local, array, partial)
    if (across) {
      await allReduce(across, array, partial)
      divideMean(op, array, worldSize)
    }
    await treeBroadcast(local, array, 0)
  } else {
    const own = shareOfArray(array, local.rank, local.worldSize)
    await directReduceScatter(local, array, { op: partial })
    await allReduce(across!, own, partial)
    divideMean(op, own, worldSize)
    const peers = local.peers()
    for (const peer of peers) local.send(peer, own)
    await Promise.all(peers.map((peer) => local.receive(peer, shareOfArray(array, peer, local.worldSize))))
  }
  await Promise.all([local.settle(), across?.settle()])
}

/** The ranks of each machine, by the names that their transports give for it. */
export async function groupsByHost(
  allGather: (array: Int32Array) => Promise<Int32Array>,
  { host, worldSize }: { host: string; worldSize: number },
): Promise<RankGroups> {
  const letters = Int32Array.from([...host], (letter) => letter.codePointAt(0)!)
  const lengths = await allGather(Int32Array.of(letters.length))
  const all = await allGather(letters)
  const groups = new Map<string, number[]>()
  let start = 0
  for (let rank = 0; rank < worldSize; rank++) {
    const name = String.fromCodePoint(...all.subarray(start, start + lengths[rank]!))
    start += lengths[rank]!
    groups.set(name, [...(groups.get(name) ?? []), rank])
  }
  return [...groups.values()]
}
