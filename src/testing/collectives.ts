/** The conformance suite of `Collectives`. @module */

import { ConfigError, nextTurn, Random } from '../core/index.js'
import { type Collectives, type ReduceOperation, type Reducible, shareOf } from '../transport/index.js'
import type { ConformanceCase } from './suite.js'

/** How the suite gets its subject. */
export interface CollectivesSubject {
  /** Sizes of the groups. @default [1, 2, 3, 4, 5, 8] */
  worldSizes?: readonly number[]
  /**
   * Makes a new group and lets all its ranks call `runCollectivesCase(name, ...)` at the same time: in this thread or,
   * where collectives block, each in its own. Rejects when one of them does.
   */
  run(name: string, worldSize: number): Promise<unknown>
}

/** One rank's place in the group of a case. */
export interface CollectivesPlace {
  readonly rank: number
  readonly worldSize: number
}

/**
 * What all collectives must do, as cases for any test runner.
 *
 * @example
 * const run = (name: string, worldSize: number) =>
 *   Promise.all(memoryTransports(worldSize).map((end) => runCollectivesCase(name, createCollectives(end), end)))
 * for (const { name, run: holds } of testCollectives({ run })) it(name, holds)
 */
export function testCollectives({ worldSizes = [1, 2, 3, 4, 5, 8], run }: CollectivesSubject): ConformanceCase[] {
  return worldSizes.flatMap((worldSize) =>
    Object.keys(cases).map((name) => ({
      name: `${name}, on ${worldSize} rank${worldSize > 1 ? 's' : ''}`,
      async run() {
        await run(name, worldSize)
      },
    })),
  )
}

/** One rank's part of a case of `testCollectives`. */
export async function runCollectivesCase(
  name: string,
  collectives: Collectives,
  { rank, worldSize }: CollectivesPlace,
): Promise<void> {
  const check = cases[name]
  if (!check) throw new ConfigError('testCollectives has no such case.', { received: name })
  await check({ collectives, rank, worldSize })
}

interface Seat extends CollectivesPlace {
  collectives: Collectives
}

const classes = [Float32Array, Float64Array, Int32Array]
const operations = ['sum', 'mean', 'max', 'min'] as const
const lengths = [0, 1, 2, 5, 17, 130]
/** More than any implementation is likely to take in one piece, and odd. */
const LONG = 70_001

const cases: Record<string, (seat: Seat) => Promise<void>> = {
  'combines whole numbers exactly': async ({ collectives, rank, worldSize }) => {
    for (const Class of classes)
      for (const length of lengths)
        for (const op of operations) {
          const array = new Class(length).map((_, i) => wholeNumber(rank, i))
          await collectives.allReduce(array, { op })
          assertSame(array, combined(Class, { length, op, worldSize }), `${op} of ${length} in a ${Class.name}`)
        }
  },

  'combines long arrays': async ({ collectives, rank, worldSize }) => {
    for (const [Class, op] of [
      [Float32Array, 'sum'],
      [Float64Array, 'mean'],
      [Int32Array, 'max'],
    ] as const) {
      const array = new Class(LONG).map((_, i) => wholeNumber(rank, i))
      await collectives.allReduce(array, { op })
      assertSame(array, combined(Class, { length: LONG, op, worldSize }), `${op} in a ${Class.name}`)
    }
  },

  'sums by default': async ({ collectives, worldSize }) => {
    const array = Float32Array.of(1, 2)
    await collectives.allReduce(array)
    assertSame(array, Float32Array.of(worldSize, 2 * worldSize), 'sum')
  },

  'combines a part of an array and leaves the rest': async ({ collectives, worldSize }) => {
    const array = Float32Array.of(7, 1, 1, 7)
    await collectives.allReduce(array.subarray(1, 3))
    assertSame(array, Float32Array.of(7, worldSize, worldSize, 7), 'sum of the middle')
  },

  'ends with the same bits on every rank and in every run': async ({ collectives, rank, worldSize }) => {
    for (const Class of [Float32Array, Float64Array])
      for (const length of [501, 5003])
        for (const op of ['sum', 'mean'] as const) {
          const what = `${op} of ${length} in a ${Class.name}`
          const inputs = Array.from({ length: worldSize }, (_, peer) => new Class(noise(peer, length)))
          const once = inputs[rank]!.slice()
          await collectives.allReduce(once, { op })
          const again = inputs[rank]!.slice()
          await collectives.allReduce(again, { op })
          assertSame(again, once, `${what}, a second time`)
          const first = once.slice()
          await collectives.broadcast(first, 0)
          assertSame(once, first, `${what}, against rank 0`)
          assertNear(once, inputs, { op, unit: Class === Float32Array ? 2 ** -24 : 2 ** -53 })
        }
  },

  'leaves each rank its share': async ({ collectives, rank, worldSize }) => {
    for (const Class of classes)
      for (const length of Class === Int32Array ? [...lengths, LONG] : lengths) {
        const op = Class === Int32Array ? 'min' : 'mean'
        const array = new Class(length).map((_, i) => wholeNumber(rank, i))
        const share = await collectives.reduceScatter<Reducible>(array, { op })
        const { start, end } = shareOf(length, rank, worldSize)
        if (share.buffer !== array.buffer) throw new Error('the share is not a view of the array')
        assertSame(share, combined(Class, { length, op, worldSize }).subarray(start, end), `share of ${length}`)
      }
  },

  'gathers arrays of different lengths in rank order': async ({ collectives, rank, worldSize }) => {
    for (const Class of classes)
      for (const extra of Class === Float32Array ? [0, LONG] : [0]) {
        const lengthOf = (peer: number) => (peer === worldSize - 1 ? peer + extra : peer)
        const part = (peer: number) => new Class(lengthOf(peer)).map((_, i) => wholeNumber(peer, i))
        const parts = Array.from({ length: worldSize }, (_, peer) => [...part(peer)])
        const gathered = await collectives.allGather<Reducible>(part(rank))
        assertSame(gathered, new Class(parts.flat()), `parts of up to ${lengthOf(worldSize - 1)}`)
      }
  },

  'gathers into a given array, in which the own part may lie already': async ({ collectives, rank, worldSize }) => {
    for (const length of [0, 2, 130, LONG]) {
      const all = new Float64Array(length).map((_, i) => wholeNumber(1, i))
      const { start, end } = shareOf(length, rank, worldSize)
      const into = new Float64Array(length)
      if ((await collectives.allGather(all.slice(start, end), { into })) !== into)
        throw new Error('the result is not in the given array')
      assertSame(into, all, `${length} values`)
      const inPlace = new Float64Array(length)
      inPlace.subarray(start, end).set(all.subarray(start, end))
      await collectives.allGather(inPlace.subarray(start, end), { into: inPlace })
      assertSame(inPlace, all, `${length} values in place`)
    }
  },

  'sends every rank something else': async ({ collectives, rank, worldSize }) => {
    for (const Class of classes)
      for (const extra of Class === Float32Array ? [0, LONG] : [0]) {
        const part = (from: number, to: number) =>
          new Class(from + 2 * to + (from === to ? 0 : extra)).map((_, i) => wholeNumber(from + 5 * to, i))
        const peers = Array.from({ length: worldSize }, (_, peer) => peer)
        const received = await collectives.allToAll<Reducible>(peers.map((peer) => part(rank, peer)))
        for (const peer of peers) assertSame(received[peer]!, part(peer, rank), `what rank ${peer} had`)
      }
  },

  'rounds what travels at most to the format asked for, alike on all ranks': async ({
    collectives,
    rank,
    worldSize,
  }) => {
    for (const [wire, bits] of [
      ['float16', 11],
      ['bfloat16', 8],
    ] as const)
      for (const length of [0, 1, 501, LONG]) {
        const exact = new Float32Array(length).map((_, i) => wholeNumber(rank, i))
        await collectives.allReduce(exact, { op: 'max', wire })
        assertSame(exact, combined(Float32Array, { length, op: 'max', worldSize }), `${length} values as ${wire}`)
        const inputs = Array.from({ length: worldSize }, (_, peer) => new Float32Array(noise(peer, length)))
        const sum = inputs[rank]!.slice()
        await collectives.allReduce(sum, { wire })
        assertNear(sum, inputs, { op: 'sum', unit: 2 ** -bits })
        const first = sum.slice()
        await collectives.broadcast(first, 0)
        assertSame(sum, first, `a sum as ${wire}, against rank 0`)
      }
  },

  'copies the array of any rank': async ({ collectives, rank, worldSize }) => {
    for (const Class of classes)
      for (const length of Class === Float64Array ? [0, 3, LONG] : [3])
        for (let root = 0; root < worldSize; root++) {
          const array = new Class(length).map((_, i) => wholeNumber(rank, i))
          await collectives.broadcast(array, root)
          const expected = new Class(length).map((_, i) => wholeNumber(root, i))
          assertSame(array, expected, `${length} values of rank ${root}`)
        }
  },

  'adds shards up in a tree over their numbers': async ({ collectives, rank, worldSize }) => {
    for (const total of [1, 2, 8])
      for (const length of total === 8 ? [0, 37, LONG] : [37]) {
        const shards = Array.from({ length: total }, (_, shard) => ({
          shard,
          values: new Float32Array(noise(shard, length)),
        }))
        const { start, end } = shareOf(total, rank, worldSize)
        const into = new Float32Array(length)
        await collectives.allReduceShards(shards.slice(start, end), total, into)
        const expected = treeOf(shards.map(({ values }) => values))
        assertSame(into, expected, `${total} shards of ${length}`)
      }
  },

  'carries out calls that overlap in the order of the calls': async ({ collectives, rank, worldSize }) => {
    const ones = new Float32Array(5000).fill(1)
    const place = Int32Array.of(rank)
    const copied = Float64Array.of(rank)
    const [, gathered] = await Promise.all([
      collectives.allReduce(ones),
      collectives.allGather(Int32Array.of(rank)),
      collectives.broadcast(copied, worldSize - 1),
      collectives.barrier(),
      collectives.allReduce(place, { op: 'max' }),
      // Of the array of the first call: it must have ended by now.
      collectives.allReduce(ones, { op: 'mean' }),
    ])
    assertSame(ones, new Float32Array(5000).fill(worldSize), 'a sum and its mean')
    assertSame(
      gathered,
      new Int32Array(worldSize).map((_, peer) => peer),
      'the ranks',
    )
    assertSame(copied, Float64Array.of(worldSize - 1), 'the last rank')
    assertSame(place, Int32Array.of(worldSize - 1), 'the largest rank')
  },

  'lets nobody past a barrier before all have come': async ({ collectives, rank, worldSize }) => {
    for (let late = 0; late < worldSize; late++) {
      const start = Date.now()
      while (rank === late && Date.now() < start + 5) await nextTurn()
      const came = Date.now()
      await collectives.barrier()
      const left = Date.now()
      const last = Math.max(...(await collectives.allGather(Float64Array.of(came))))
      if (left < last) throw new Error(`passed the barrier ${last - left} ms before the last rank came`)
    }
  },
}

/** Small, so that sums are exact in any order; the ranks hold different ones. */
const wholeNumber = (rank: number, i: number) => ((i * 7 + rank * 13) % 23) - 11

const drawn: Float64Array[] = []

/** Normal deviates, other ones for each stream. */
function noise(stream: number, length: number): Float64Array {
  const rng = new Random(3, stream)
  drawn[stream] ??= new Float64Array(LONG).map(() => rng.normal())
  return drawn[stream].subarray(0, length)
}

type ReducibleClass = (typeof classes)[number]

function combined(
  Class: ReducibleClass,
  { length, op, worldSize }: { length: number; op: ReduceOperation; worldSize: number },
): Reducible {
  return new Class(length).map((_, i) => {
    const of = { sum: 0, max: -Infinity, min: Infinity }
    for (let rank = 0; rank < worldSize; rank++) {
      const value = wholeNumber(rank, i)
      of.sum += value
      of.max = Math.max(of.max, value)
      of.min = Math.min(of.min, value)
    }
    return op === 'mean' ? of.sum / worldSize : of[op]
  })
}

/** Neighbours first, then pairs of pairs; `values.length` is a power of two. */
function treeOf(values: readonly Float32Array[]): Float32Array {
  if (values.length === 1) return values[0]!
  const half = values.length / 2
  const [left, right] = [treeOf(values.slice(0, half)), treeOf(values.slice(half))]
  return left.map((value, i) => value + right[i]!)
}

function assertSame(actual: Reducible, expected: Reducible, what: string): void {
  if (actual.length !== expected.length)
    throw new Error(`${what}: expected ${expected.length} values, got ${actual.length}`)
  const at = expected.findIndex((value, i) => !Object.is(value, actual[i]))
  if (at >= 0) throw new Error(`${what}: expected ${expected[at]} at ${at}, got ${actual[at]}`)
}

/**
 * Each addition may round, so the bound is one unit in the last place of the sum of magnitudes per rank.
 *
 * @param unit - Half of the distance between 1 and the next number.
 */
function assertNear(
  actual: Float32Array | Float64Array,
  inputs: readonly Reducible[],
  { op, unit }: { op: 'sum' | 'mean'; unit: number },
): void {
  const divisor = op === 'mean' ? inputs.length : 1
  for (let i = 0; i < actual.length; i++) {
    let sum = 0
    let magnitude = 0
    for (const input of inputs) {
      sum += input[i]!
      magnitude += Math.abs(input[i]!)
    }
    const bound = (2 * inputs.length * unit * magnitude) / divisor
    if (Math.abs(actual[i]! - sum / divisor) > bound)
      throw new Error(`${op}: expected about ${sum / divisor} at ${i}, got ${actual[i]}`)
  }
}
