import { describe, expect, it } from 'vitest'
import { type AllReduceAlgorithm, createCollectives, type LinkModel } from '../../../src/collectives/index.js'
import { Random } from '../../../src/core/index.js'
import {
  memoryTransports,
  type ReduceOperation,
  type Reducible,
  type WireFormat,
} from '../../../src/transport/index.js'

const algorithms = ['ring', 'tree', 'doubling', 'halving-doubling', 'direct'] as const
const interchangeable = ['tree', 'doubling', 'halving-doubling', 'direct'] as const
const classes = [Float32Array, Float64Array, Int32Array]
const operations = ['sum', 'mean', 'max', 'min'] as const

interface Draw {
  op: ReduceOperation
  inputs: Reducible[]
  groups: number[][]
}

/** Random worlds and lengths: short ones, and such that a share takes several messages. */
function draw(seed: number): Draw {
  const rng = new Random(11, seed)
  const pick = <T>(from: readonly T[]) => from[rng.integer(from.length)]!
  const worldSize = 1 + rng.integer(9)
  const length =
    pick([rng.integer(4), rng.integer(40), rng.integer(3000), 1_200_000 / worldSize + rng.integer(1000)]) | 0
  const Class = pick(classes)
  const inputs = Array.from({ length: worldSize }, () => new Class(length).map(() => 1000 * rng.normal()))
  // Ranks dealt out to machines, in any order.
  const machines = 1 + rng.integer(worldSize)
  const groups = Array.from({ length: machines }, (): number[] => [])
  for (let rank = 0; rank < worldSize; rank++) groups[rank < machines ? rank : rng.integer(machines)]!.push(rank)
  return { op: pick(operations), inputs, groups: groups.map((group) => rng.shuffle(group)) }
}

/** The results of all ranks. */
function reduced(
  { inputs, op, groups }: Draw,
  algorithm: AllReduceAlgorithm,
  wire: WireFormat = 'float32',
): Promise<Reducible[]> {
  return Promise.all(
    memoryTransports(inputs.length).map(async (end, rank) => {
      const array = inputs[rank]!.slice()
      const collectives = createCollectives(end, algorithm === 'hierarchical' ? { algorithm, groups } : { algorithm })
      await collectives.allReduce(array, { op, wire })
      return array
    }),
  )
}

const about = ({ inputs, op, groups }: Draw) =>
  `${op} of ${inputs[0]!.length} ${inputs[0]!.constructor.name} on ${inputs.length}, machines ${JSON.stringify(groups)}`
const bytes = ({ buffer, byteOffset, byteLength }: Reducible) => Buffer.from(buffer, byteOffset, byteLength)

/** The worst distance from the result in float64, in units of the last place of the magnitudes that were added. */
function worstError({ inputs, op }: Draw, result: Reducible): number {
  const unit = result instanceof Float32Array ? 2 ** -24 : 2 ** -53
  let worst = 0
  for (let i = 0; i < result.length; i++) {
    const values = inputs.map((input) => input[i]!)
    const magnitude = values.reduce((sum, value) => sum + Math.abs(value), 0)
    const sum = values.reduce((total, value) => total + value, 0)
    const mean = result instanceof Int32Array ? Math.trunc(sum / inputs.length) : sum / inputs.length
    const expected = { sum, mean, max: Math.max(...values), min: Math.min(...values) }[op]
    const scale = (magnitude / (op === 'mean' ? inputs.length : 1)) * unit
    if (result[i] !== expected) worst = Math.max(worst, Math.abs(result[i]! - expected) / scale)
  }
  return worst
}

describe('all-reduce of random arrays on random worlds', () => {
  it.each(Array.from({ length: 24 }, (_, seed) => seed))('holds for draw %i', async (seed) => {
    const drawn = draw(seed)
    for (const algorithm of [...algorithms, 'hierarchical'] as const) {
      const [first, ...others] = await reduced(drawn, algorithm)
      for (const other of others)
        expect(bytes(other).equals(bytes(first!)), `${algorithm}, same bits: ${about(drawn)}`).toBe(true)
      expect(worstError(drawn, first!), `${algorithm}: ${about(drawn)}`).toBeLessThanOrEqual(2 * drawn.inputs.length)
    }
  })

  it.each(Array.from({ length: 12 }, (_, seed) => 100 + seed))(
    'has the same bits by each algorithm that may be taken for another, draw %i',
    async (seed) => {
      const drawn = draw(seed)
      const results = await Promise.all(interchangeable.map((algorithm) => reduced(drawn, algorithm)))
      for (const [i, [result]] of results.entries())
        expect(bytes(result!).equals(bytes(results[0]![0]!)), `${interchangeable[i]}: ${about(drawn)}`).toBe(true)
    },
  )
})

describe("what 'auto' takes", () => {
  const bytesSent = async (link: LinkModel, length: number, worldSize: number) => {
    let messages = 0
    const ends = memoryTransports(worldSize)
    await Promise.all(
      ends.map((end) => {
        const counted = Object.assign(Object.create(end), {
          rank: end.rank,
          worldSize,
          receive: end.receive.bind(end),
          send(to: number, tag: number, message: Uint8Array) {
            messages++
            return end.send(to, tag, message)
          },
        })
        return createCollectives(counted, { link }).allReduce(new Float32Array(length))
      }),
    )
    return messages
  }

  it('takes few messages where latency counts, and little traffic where the rate does', async () => {
    const slowStart = { latencyUs: 1000, megabytesPerSecond: 10_000 }
    const slowRate = { latencyUs: 1, megabytesPerSecond: 10 }
    // Doubling on 8 ranks: 3 steps of 8 messages. Direct: every rank sends all others two shares.
    expect(await bytesSent(slowStart, 1000, 8)).toBe(24)
    expect(await bytesSent(slowRate, 10_000, 7)).toBe(7 * 6 * 2)
  })
})

it('asks no rank for another class or length than the others have', async () => {
  const [first, second] = memoryTransports(2).map((end) => createCollectives(end, { algorithm: 'direct' }))
  const results = await Promise.allSettled([
    first!.allReduce(new Float32Array(10)),
    second!.allReduce(new Float32Array(14)),
  ])
  expect(results.map(({ status }) => status)).toContain('rejected')
  for (const result of results)
    if (result.status === 'rejected')
      expect(String(result.reason)).toMatch(
        /TransportError: (Rank . takes part in another collective|A message of rank)/,
      )
})

it('rounds float32 values alone', async () => {
  const [first] = memoryTransports(2)
  const refused = createCollectives(first!).allReduce(new Int32Array(1), { wire: 'float16' })
  await expect(refused).rejects.toThrow(/Only float32/)
})

it.each([...algorithms])(
  'goes in several pieces between two ranks too, whose pieces are longest: %s',
  async (algorithm) => {
    const array = () => Float32Array.from({ length: 2_500_001 }, (_, i) => i % 1000)
    const sums = await reduced({ op: 'sum', inputs: [array(), array()], groups: [[0, 1]] }, algorithm)
    const expected = array().map((value) => 2 * value)
    for (const sum of sums) expect(Buffer.from(sum.buffer).equals(Buffer.from(expected.buffer))).toBe(true)
  },
)
