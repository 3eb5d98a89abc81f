/** A pass may begin at any row, and gives from there on what a whole pass gives: the same batches, to the bit. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Columns, Dataset, interleave, type Row, rowsOf } from '../../../src/data/index.js'
import { memory } from '../../../src/storage/index.js'

const ROWS = 61

const table = (rows = ROWS): Columns => ({
  id: { data: Int32Array.from({ length: rows }, (_, i) => i), shape: [rows] },
  x: { data: Float32Array.from({ length: 2 * rows }, (_, i) => i / 2), shape: [rows, 2] },
  name: { data: Array.from({ length: rows }, (_, i) => `row ${i}`), shape: [rows] },
})

const inMemory = () => Dataset.fromArrays(table())

/** A stream in chunks of 1, 2, 3, 1, 2, 3, ... rows, which begins at its first row. */
const fromStart = () =>
  Dataset.fromBatches(async function* () {
    for (let start = 0, size = 1; start < ROWS; start += size, size = (size % 3) + 1)
      yield await inMemory()
        .skip(start)
        .take(Math.min(size, ROWS - start))
        .columns()
  })

/** One that begins where it is asked to. */
const seeking = () =>
  Dataset.fromBatches(
    async function* ({ fromRow }) {
      for (let start = fromRow; start < ROWS; start += 5) yield await inMemory().skip(start).take(5).columns()
    },
    { seeks: true },
  )

const byRow = () =>
  Dataset.fromRows(() => Array.from({ length: ROWS }, (_, id) => ({ id, x: [id, id + 0.5], name: `row ${id}` })))

const doubled = (row: Row) => ({ ...row, x: (row.x as Float32Array).map((value) => 2 * value) })

/** What a row becomes depends on the rows that it came with. */
function centred(batch: Columns): Columns {
  const x = batch.x!.data as Float32Array
  const mean = x.reduce((sum, value) => sum + value, 0) / x.length
  return { ...batch, x: { data: x.map((value) => value - mean), shape: batch.x!.shape } }
}

const chains: Record<string, (dataset: Dataset) => Dataset> = {
  plain: (data) => data,
  map: (data) => data.map(doubled),
  filter: (data) => data.filter(({ id }) => (id as number) % 3 !== 0),
  'mapBatches that keeps rows': (data) => data.mapBatches(centred, { keepsRows: true }),
  'mapBatches of batches': (data) => data.batch(7).mapBatches(centred, { keepsRows: true }),
  'mapBatches that may not': (data) => data.batch(4).mapBatches(centred),
  shuffle: (data) => data.shuffle({ seed: 3, bufferSize: 10 }),
  'shuffle anew': (data) => data.shuffle({ seed: 3, bufferSize: 10, reshuffle: true }),
  'batch with dropLast': (data) => data.batch(8, { dropLast: true }),
  'take and skip': (data) => data.skip(4).take(50).skip(1),
  shard: (data) => data.shard(1, 3),
  prefetch: (data) => data.prefetch(2),
  cache: (data) => data.cache(),
  'cache in a store': (data) => data.cache({ store: memory() }),
  'all of it': (data) =>
    data
      .map(doubled)
      .cache()
      .shuffle({ seed: 1, bufferSize: 20, reshuffle: true })
      .batch(6)
      .mapBatches(centred, { keepsRows: true })
      .prefetch(3),
  interleave: (data) => interleave([data, data.take(20), data.skip(3)], { weights: [1, 2, 1], seed: 5 }),
}

async function batchesOf(dataset: Dataset, size: number, pass: { fromRow?: number; epoch?: number }) {
  const batches: Columns[] = []
  for await (const batch of dataset.batches(size, pass)) batches.push(batch)
  return batches
}

describe.each([
  ['in memory', inMemory],
  ['a stream', fromStart],
  ['a stream that seeks', seeking],
  ['rows', byRow],
])('%s', (_, make) => {
  it.each(Object.entries(chains))('%s', async (_, chain) => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 20 }), fc.nat(9), fc.nat(2), async (size, batches, epoch) => {
        const dataset = chain(make())
        const whole = await batchesOf(dataset, size, { epoch })
        const tail = { fromRow: batches * size, epoch }
        // Another object, as in a process that starts anew; and this one, which may have kept something.
        for (const again of [chain(make()), dataset])
          expect(await batchesOf(again, size, tail)).toEqual(whole.slice(batches))
      }),
      { seed: 1, numRuns: 12 },
    )
  })
})

it('has an order for each epoch where that is asked for, and all rows in each', async () => {
  for (const make of [inMemory, fromStart]) {
    const data = make().shuffle({ seed: 2, bufferSize: 16, reshuffle: true })
    const orders = await Promise.all(
      [0, 1, 2, 0].map(async (epoch) => (await batchesOf(data, ROWS, { epoch }))[0]!.id!.data as Int32Array),
    )
    expect(new Set(orders.map((order) => [...order].join())).size).toBe(3)
    expect(orders[3]).toEqual(orders[0])
    expect([...(await make().shuffle({ seed: 2, bufferSize: 16 }).columns()).id!.data]).toEqual([...orders[0]!])
    for (const order of orders) expect([...order].sort((a, b) => a - b)).toEqual([...(table().id!.data as Int32Array)])
  }
})

it('reads no more of a stream that seeks than it must', async () => {
  const asked: number[] = []
  const data = Dataset.fromBatches(
    async function* ({ fromRow }) {
      asked.push(fromRow)
      yield await inMemory().skip(fromRow).columns()
    },
    { seeks: true },
  )
  let mapped = 0
  const counting = (row: Row) => {
    mapped++
    return row
  }
  const chain = data.map(counting).batch(10).mapBatches(centred, { keepsRows: true }).skip(3).prefetch()
  expect((await batchesOf(chain, 10, { fromRow: 40 })).map(rowsOf)).toEqual([10, 8])
  // Row 43 lies in the batch that begins at row 40.
  expect([asked, mapped]).toEqual([[40], 21])
})

it('is told where a pass cannot begin', () => {
  expect(() => inMemory().batches(4, { fromRow: -1 })).toThrow(/fromRow of a pass/)
  expect(() => inMemory().batches(4, { epoch: 0.5 })).toThrow(/epoch of a pass/)
})
