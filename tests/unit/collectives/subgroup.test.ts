import { expect, it } from 'vitest'
import { createCollectives, subgroup } from '../../../src/collectives/index.js'
import { ConfigError, TransportError } from '../../../src/core/index.js'
import { memoryTransports, type Transport } from '../../../src/transport/index.js'

const group = (transport: Transport) => transport.rank % 2

it('numbers its ranks in the order given', () => {
  const ends = memoryTransports(4)
  expect(subgroup(ends[3]!, [3, 1])).toMatchObject({ rank: 0, worldSize: 2 })
  expect(subgroup(ends[1]!, [3, 1])).toMatchObject({ rank: 1, worldSize: 2 })
})

it('keeps the messages of groups apart that are busy at the same time, and nested ones', async () => {
  const sums = await Promise.all(
    memoryTransports(8).map(async (end) => {
      const halves = subgroup(
        end,
        [0, 2, 4, 6].map((rank) => rank + group(end)),
      )
      // The same ranks a second time, and pairs of them.
      const again = subgroup(halves, [0, 1, 2, 3])
      const pairs = subgroup(halves, halves.rank < 2 ? [0, 1] : [3, 2])
      const arrays = [end, halves, again, pairs].map(() => Float64Array.of(10 ** end.rank))
      await Promise.all(
        [pairs, again, halves, end].map((among, i) =>
          createCollectives(among, { algorithm: 'ring' }).allReduce(arrays[i]!),
        ),
      )
      return arrays.map(([sum]) => sum)
    }),
  )
  for (const [rank, [pair, again, half, all]] of sums.entries()) {
    expect(all).toBe(11_111_111)
    expect(half).toBe(rank % 2 ? 10_101_010 : 1_010_101)
    expect(again).toBe(half)
    expect(pair).toBe((rank < 4 ? 101 : 1_010_000) * 10 ** (rank % 2))
  }
})

it('needs only its own members to make it', async () => {
  const ends = memoryTransports(3)
  // Ranks 0 and 1 have a group of which rank 2 knows nothing, before one with it.
  const first = [0, 1].map((rank) => subgroup(ends[rank]!, [0, 1]))
  const second = [0, 1, 2].map((rank) => subgroup(ends[rank]!, [0, 1, 2]))
  await first[0]!.send(1, 7, Uint8Array.of(1))
  await second[0]!.send(1, 7, Uint8Array.of(2))
  await second[2]!.send(1, 7, Uint8Array.of(3))
  await ends[0]!.send(1, 7, Uint8Array.of(4))
  expect(await ends[1]!.receive(0, 7)).toEqual(Uint8Array.of(4))
  expect(await second[1]!.receive(2, 7)).toEqual(Uint8Array.of(3))
  expect(await second[1]!.receive(0, 7)).toEqual(Uint8Array.of(2))
  expect(await first[1]!.receive(0, 7)).toEqual(Uint8Array.of(1))
})

it('refuses ranks that are not there, twice there, or not its own', () => {
  const [end] = memoryTransports(3)
  for (const ranks of [[0, 3], [0, 0], [1, 2], [0, 0.5], []])
    expect(() => subgroup(end!, ranks), String(ranks)).toThrow(ConfigError)
})

it('refuses a tag beyond its own, a rank beyond its own, and any use once closed', async () => {
  const [end] = memoryTransports(3)
  const pair = subgroup(end!, [0, 1])
  await expect(pair.send(1, 4095, new Uint8Array(1))).rejects.toThrow(TransportError)
  await expect(pair.receive(2, 0)).rejects.toThrow(TransportError)
  await pair.close()
  await expect(pair.send(1, 0, new Uint8Array(1))).rejects.toThrow(/closed/)
  await end!.send(1, 0, new Uint8Array(1))
})

it('ends the whole group on abort', async () => {
  const ends = memoryTransports(3)
  const waiting = expect(ends[2]!.receive(0, 0)).rejects.toThrow(TransportError)
  subgroup(ends[0]!, [0, 1]).abort('the test says so')
  await waiting
})
