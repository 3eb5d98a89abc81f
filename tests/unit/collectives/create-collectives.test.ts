import { describe, expect, it } from 'vitest'
import { createCollectives } from '../../../src/collectives/index.js'
import { Random } from '../../../src/core/index.js'
import { memoryTransports, type Reducible, shareOf } from '../../../src/transport/index.js'

const algorithms = ['auto', 'ring', 'tree', 'halving-doubling'] as const
const lengths = [0, 1, 2, 5, 17, 130]
/** Small whole numbers, whose sums are exact in any order. */
const values = (rank: number, length: number) => Array.from({ length }, (_, i) => ((i * 7 + rank * 13) % 23) - 11)
const references = {
  sum: (column: number[]) => column.reduce((a, b) => a + b),
  mean: (column: number[]) => column.reduce((a, b) => a + b) / column.length,
  max: (column: number[]) => Math.max(...column),
  min: (column: number[]) => Math.min(...column),
}

describe.each(algorithms)('%s', (algorithm) => {
  it.each([1, 2, 3, 4, 5, 7, 8])('combines, spreads and gathers on %i ranks', async (worldSize) => {
    const group = memoryTransports(worldSize).map((transport) => createCollectives(transport, { algorithm }))
    for (const Class of [Float32Array, Float64Array, Int32Array])
      for (const length of lengths)
        for (const op of ['sum', 'mean', 'max', 'min'] as const) {
          const inputs = group.map((_, rank) => values(rank, length))
          const expected = new Class(Array.from({ length }, (_, i) => references[op](inputs.map((input) => input[i]!))))
          const arrays: Reducible[] = inputs.map((input) => new Class(input))
          await Promise.all(group.map((collectives, rank) => collectives.allReduce(arrays[rank]!, { op })))
          for (const array of arrays) expect(array).toEqual(expected)

          const shares = await Promise.all(
            group.map((collectives, rank) => collectives.reduceScatter<Reducible>(new Class(inputs[rank]!), { op })),
          )
          shares.forEach((share, rank) => {
            const { start, end } = shareOf(length, rank, worldSize)
            expect(share).toEqual(expected.subarray(start, end))
          })
        }

    const uneven = await Promise.all(
      group.map((collectives, rank) => collectives.allGather(Int32Array.from({ length: rank }, () => rank))),
    )
    const joined = Int32Array.from(group.flatMap((_, rank) => Array.from({ length: rank }, () => rank)))
    for (const gathered of uneven) expect(gathered).toEqual(joined)

    for (let root = 0; root < worldSize; root++) {
      const arrays = group.map((_, rank) => Float32Array.of(rank, 10 * rank))
      await Promise.all(group.map((collectives, rank) => collectives.broadcast(arrays[rank]!, root)))
      for (const array of arrays) expect(array).toEqual(Float32Array.of(root, 10 * root))
    }
    await Promise.all(group.map((collectives) => collectives.barrier()))
  })

  it('ends with the same bits on every rank', async () => {
    const rng = new Random(3)
    const group = memoryTransports(5).map((transport) => createCollectives(transport, { algorithm }))
    const arrays = group.map(() => Float32Array.from({ length: 501 }, () => rng.normal()))
    await Promise.all(group.map((collectives, rank) => collectives.allReduce(arrays[rank]!)))
    for (const array of arrays) expect(array).toEqual(arrays[0])
  })
})

it('adds shards to the same bits on any number of ranks', async () => {
  const rng = new Random(4)
  const shards = Array.from({ length: 8 }, (_, shard) => ({
    shard,
    values: Float32Array.from({ length: 37 }, () => rng.normal()),
  }))
  const [s0, s1, s2, s3, s4, s5, s6, s7] = shards.map(({ values: array }) => array)
  const f = Math.fround
  const expected = Float32Array.from({ length: 37 }, (_, i) =>
    f(f(f(s0![i]! + s1![i]!) + f(s2![i]! + s3![i]!)) + f(f(s4![i]! + s5![i]!) + f(s6![i]! + s7![i]!))),
  )
  for (const worldSize of [1, 2, 3, 4, 8, 9]) {
    const results = await Promise.all(
      memoryTransports(worldSize).map(async (transport) => {
        const into = new Float32Array(37)
        const { start, end } = shareOf(8, transport.rank, worldSize)
        await createCollectives(transport).allReduceShards(shards.slice(start, end), 8, into)
        return into
      }),
    )
    for (const result of results) expect(result).toEqual(expected)
  }
})
