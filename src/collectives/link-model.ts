/** What an all-reduce costs on a link, by which its algorithm is chosen. @module */

import type { Transport } from '../transport/index.js'
import { foldDistances } from './fold.js'
import { Messages } from './messages.js'
import { treeBroadcast } from './tree.js'

/** The alpha-beta model of a link: a message of b bytes takes `latencyUs + b / megabytesPerSecond` microseconds. */
export interface LinkModel {
  /** Time of an empty message, in microseconds. */
  latencyUs: number
  /** Bytes per microsecond of a long message. */
  megabytesPerSecond: number
}

/** Ways to reduce whose results have the same bits: one may be taken for another. */
const interchangeable = ['doubling', 'tree', 'halving-doubling', 'direct'] as const

/** Algorithms whose cost is known. */
export type CostedAlgorithm = (typeof interchangeable)[number] | 'ring'

/** Adding, about: a third of a nanosecond for a float32. */
const ADD_US_PER_BYTE = 1 / 12_000
/** A message to one more peer at the same time, as a part of the latency. */
const FAN_OUT = 1 / 2

/**
 * Time of an all-reduce in microseconds, on a link that all ranks have to all others.
 *
 * @see Thakur, Rabenseifner and Gropp 2005, section 4, https://doi.org/10.1177/1094342005051521
 */
export function allReduceUs(
  algorithm: CostedAlgorithm,
  { bytes, worldSize, link }: { bytes: number; worldSize: number; link: LinkModel },
): number {
  if (worldSize === 1) return 0
  const messageUs = (length: number) => link.latencyUs + length / link.megabytesPerSecond
  const addUs = (length: number) => length * ADD_US_PER_BYTE
  const power = 2 ** Math.floor(Math.log2(worldSize))
  const foldUs = power < worldSize ? 2 * messageUs(bytes) + addUs(bytes) : 0
  const othersOf = (count: number) => (bytes * (count - 1)) / count
  const spreadUs = (count: number) => (2 * othersOf(count)) / link.megabytesPerSecond + addUs(othersOf(count))
  switch (algorithm) {
    case 'tree':
      return foldDistances(worldSize).length * (2 * messageUs(bytes) + addUs(bytes))
    case 'doubling':
      return foldUs + foldDistances(power).length * (messageUs(bytes) + addUs(bytes))
    case 'halving-doubling':
      return foldUs + 2 * foldDistances(power).length * link.latencyUs + spreadUs(power)
    case 'direct':
      return 2 * (1 + FAN_OUT * (worldSize - 2)) * link.latencyUs + spreadUs(worldSize)
    case 'ring':
      return 2 * (worldSize - 1) * link.latencyUs + spreadUs(worldSize)
    default:
      return algorithm satisfies never
  }
}

/**
 * Time of an all-reduce inside each machine first, in microseconds: each rank of a machine then speaks for it about its
 * share, all at the same time, on the machine's one link to the others.
 *
 * @param on - `local`: the link inside a machine; `across`: that of a machine to the others.
 */
export function hierarchicalAllReduceUs(on: {
  bytes: number
  machines: number
  perMachine: number
  local: LinkModel
  across: LinkModel
}): number {
  const { bytes, machines, perMachine, local, across } = on
  const shared = { ...across, megabytesPerSecond: across.megabytesPerSecond / perMachine }
  const between = { bytes: bytes / perMachine, worldSize: machines, link: shared }
  return (
    allReduceUs('direct', { bytes, worldSize: perMachine, link: local }) +
    allReduceUs(fastestAllReduce(between), between)
  )
}

/** The fastest of the algorithms whose results have the same bits. */
export function fastestAllReduce(on: { bytes: number; worldSize: number; link: LinkModel }) {
  const costs = interchangeable.map((algorithm) => allReduceUs(algorithm, on))
  return interchangeable[costs.indexOf(Math.min(...costs))]!
}

/** Whether a long broadcast is faster by scatter and gather than by a tree. */
export function isScatterFaster({
  bytes,
  worldSize,
  link,
}: {
  bytes: number
  worldSize: number
  link: LinkModel
}): boolean {
  const treeUs = foldDistances(worldSize).length * (link.latencyUs + bytes / link.megabytesPerSecond)
  const scatterUs = 2 * (1 + FAN_OUT * (worldSize - 2)) * link.latencyUs + (2 * bytes) / link.megabytesPerSecond
  return scatterUs < treeUs
}

const SHORT_EXCHANGES = 9
const LONG_EXCHANGES = 3
const LONG_BYTES = 1 << 20

/**
 * Measures the link between the first and the last rank, both ways at once as collectives use it, with a few exchanges,
 * and tells all ranks. All of them must call it, while no other collective is under way.
 */
export async function measureLink(transport: Transport): Promise<LinkModel> {
  const messages = new Messages(transport)
  const { rank, worldSize } = messages
  const model = new Float64Array(2)
  if (worldSize > 1) {
    const peer = rank === 0 ? worldSize - 1 : 0
    const exchangeUs = async (bytes: number, count: number) => {
      const [own, theirs] = [new Int32Array(bytes / 4), new Int32Array(bytes / 4)]
      const times: number[] = []
      // The first exchange is for the runtime to compile what follows.
      for (let i = 0; i <= count; i++) {
        const start = performance.now()
        messages.send(peer, own)
        await messages.receive(peer, theirs)
        await messages.settle()
        if (i > 0) times.push((performance.now() - start) * 1000)
      }
      return times.sort((a, b) => a - b)[count >> 1]!
    }
    if (rank === 0 || rank === worldSize - 1) {
      const latencyUs = await exchangeUs(4, SHORT_EXCHANGES)
      const longUs = await exchangeUs(LONG_BYTES, LONG_EXCHANGES)
      // A clock that is too coarse, as some browsers', may see no difference.
      model.set([latencyUs, LONG_BYTES / Math.max(longUs - latencyUs, 1)])
    }
    await treeBroadcast(messages, model, 0)
    await messages.settle()
  }
  return { latencyUs: model[0]!, megabytesPerSecond: model[1]! }
}
