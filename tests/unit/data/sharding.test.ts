/** Shards over ranks are those of PyTorch's DistributedSampler; without padding every row is there once. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { Dataset } from '../../../src/data/index.js'

type Case = [rows: number, ranks: number, evenly: 'pad' | 'drop', expected: number[][]]

const golden = JSON.parse(readFileSync(new URL('../../golden/torch/samplers.json', import.meta.url), 'utf8')) as Case[]

const inMemory = (rows: number) =>
  Dataset.fromArrays({ id: { data: Int32Array.from({ length: rows }, (_, i) => i), shape: [rows] } })

/** The same rows in chunks of 3. */
const streamed = (rows: number) => Dataset.fromBatches(() => inMemory(rows).batches(3))

const idsOf = async (dataset: Dataset) => {
  const ids: number[] = []
  for await (const { id } of dataset.rows()) ids.push(id as number)
  return ids
}

describe.each([
  ['in memory', inMemory],
  ['streamed', streamed],
])('a dataset %s', (_, make) => {
  it('is sharded as DistributedSampler does it: 1 to 17 rows over 1 to 4 ranks', async () => {
    expect(golden.length).toBeGreaterThan(100)
    for (const [rows, ranks, evenly, expected] of golden) {
      const shards = expected.map((_, rank) => idsOf(make(rows).shard(rank, ranks, { evenly })))
      expect([rows, ranks, evenly, await Promise.all(shards)]).toEqual([rows, ranks, evenly, expected])
    }
  })

  it('gives every row to one rank alone where nothing is evened out', async () => {
    for (const [rows, ranks] of golden) {
      const shards = Array.from({ length: ranks }, (_, rank) => idsOf(make(rows).shard(rank, ranks, { evenly: false })))
      const all = (await Promise.all(shards)).flat().sort((a, b) => a - b)
      expect(all).toEqual(Array.from({ length: rows }, (_, i) => i))
    }
  })
})
