import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import { describe, expect, it } from 'vitest'
import { ConfigError, DataError, ShapeError, StateError } from '../../../src/core/index.js'
import { type Columns, Dataset } from '../../../src/data/index.js'

/** Rows 0 to n - 1: `id` is the number, `x` holds [id, id + 0.5] as [2, 1], `name` is text. */
function numbered(n: number): Columns {
  return {
    id: { data: Int32Array.from({ length: n }, (_, i) => i), shape: [n] },
    x: { data: Float32Array.from({ length: 2 * n }, (_, i) => i / 2), shape: [n, 2, 1] },
    name: { data: Array.from({ length: n }, (_, i) => `row ${i}`), shape: [n] },
  }
}

const inMemory = (n: number) => Dataset.fromArrays(numbered(n))

/** The same rows as a stream with chunks of 1, 2, 3, 1, 2, 3, ... rows. */
function streamed(n: number): Dataset {
  return Dataset.fromBatches(async function* () {
    const all = inMemory(n)
    for (let start = 0, size = 1; start < n; start += size, size = (size % 3) + 1)
      yield await all
        .skip(start)
        .take(Math.min(size, n - start))
        .columns()
  })
}

async function ids(dataset: Dataset): Promise<number[]> {
  const found: number[] = []
  for await (const row of dataset.rows()) {
    // Every row must have stayed in one piece.
    expect([...(row.x as Float32Array)]).toEqual([row.id, (row.id as number) + 0.5])
    expect(row.name).toBe(`row ${row.id}`)
    found.push(row.id as number)
  }
  return found
}

const range = (start: number, end: number) => Array.from({ length: end - start }, (_, i) => start + i)

describe.each([
  ['in memory', inMemory],
  ['streamed', streamed],
])('a dataset %s', (_, make) => {
  it('gives its rows in every pass', async () => {
    const dataset = make(11)
    expect(await ids(dataset)).toEqual(range(0, 11))
    expect(await ids(dataset)).toEqual(range(0, 11))
  })

  it('cuts batches of the size asked for', async () => {
    const sizes: number[] = []
    for await (const batch of make(11).batches(4)) {
      expect(batch.x!.shape).toEqual([batch.id!.shape[0], 2, 1])
      sizes.push(batch.id!.data.length)
    }
    expect(sizes).toEqual([4, 4, 3])
  })

  it('takes and skips', async () => {
    expect(await ids(make(11).skip(3).take(5))).toEqual(range(3, 8))
    expect(await ids(make(4).take(10))).toEqual(range(0, 4))
    expect(await ids(make(4).skip(4))).toEqual([])
  })

  it('shuffles by seed, the same in every pass', async () => {
    const shuffled = make(50).shuffle({ seed: 3, bufferSize: 20 })
    const first = await ids(shuffled)
    expect(first).not.toEqual(range(0, 50))
    expect([...first].sort((a, b) => a - b)).toEqual(range(0, 50))
    expect(await ids(shuffled)).toEqual(first)
    expect(await ids(make(50).shuffle({ seed: 4, bufferSize: 20 }))).not.toEqual(first)
  })

  it('drops the last short batch when asked to', async () => {
    const sizes: number[] = []
    for await (const batch of make(11).batch(4, { dropLast: true }).batches()) sizes.push(batch.id!.data.length)
    expect(sizes).toEqual([4, 4])
  })

  it('maps and filters rows, keeping shapes', async () => {
    const mapped = make(7)
      .filter((row) => (row.id as number) % 2 === 0)
      .map((row) => ({ ...row, double: 2 * (row.id as number) }))
    const { x, double } = await mapped.columns()
    expect(x!.shape).toEqual([4, 2, 1])
    expect([...(double!.data as Float32Array)]).toEqual([0, 4, 8, 12])
  })

  it('maps batches of the size that batch() set', async () => {
    const sizes: number[] = []
    const seen = make(7)
      .batch(3)
      .mapBatches((batch) => {
        sizes.push(batch.id!.data.length)
        return batch
      })
    expect(await ids(seen)).toEqual(range(0, 7))
    expect(sizes).toEqual([3, 3, 1])
  })

  it('prefetches without a change', async () => {
    expect(await ids(make(9).prefetch(3))).toEqual(range(0, 9))
  })
})

describe('a dataset in memory', () => {
  it('chooses rows without a copy', () => {
    const columns = numbered(10)
    const chosen = Dataset.fromArrays(columns).skip(2).shuffle({ seed: 1 }).shard(0, 2).resident!
    expect(chosen.columns).toBe(columns)
    expect(chosen.index!.length).toBe(4)
  })

  it('knows its size', () => {
    expect([inMemory(10).size, inMemory(10).take(3).size, inMemory(10).shard(2, 4).size]).toEqual([10, 3, 3])
    expect(inMemory(10).filter(() => true).size).toBeUndefined()
    expect(inMemory(10).map((row) => row).size).toBe(10)
    expect(streamed(10).size).toBeUndefined()
  })

  it('splits into parts without a common row', async () => {
    const { train, test } = inMemory(10).split({ train: 0.7, test: 0.3 }, { seed: 5 })
    expect([train.size, test.size]).toEqual([7, 3])
    expect([...(await ids(train)), ...(await ids(test))].sort((a, b) => a - b)).toEqual(range(0, 10))
  })

  it('splits by strata', async () => {
    const n = 100
    const y = Int32Array.from({ length: n }, (_, i) => (i % 10 === 0 ? 1 : 0))
    const data = Dataset.fromArrays({ y: { data: y, shape: [n] } })
    const parts = data.split({ train: 0.6, validation: 0.2, test: 0.2 }, { seed: 1, stratifyBy: 'y' })
    for (const [name, ones] of [
      ['train', 6],
      ['validation', 2],
      ['test', 2],
    ] as const) {
      const labels = (await parts[name].columns()).y!.data as Int32Array
      expect(labels.filter((label) => label === 1).length).toBe(ones)
      expect(labels.length).toBe(ones * 10)
    }
  })
})

describe('fromRows', () => {
  it('infers columns, with missing values', async () => {
    const columns = await Dataset.fromRows([
      { age: 3, tags: [1, 2], name: 'a' },
      { age: null, tags: [3, 4], name: 'b' },
    ]).columns()
    expect(columns.age!.data).toEqual(Float32Array.of(3, Number.NaN))
    expect(columns.tags).toEqual({ data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] })
    expect(columns.name).toEqual({ data: ['a', 'b'], shape: [2] })
  })

  it('names the row and column that do not fit', () => {
    expect(() => Dataset.fromRows([{ a: 1 }, { a: 'one' }])).toThrow(/Row 1, column "a".*"one"/)
    expect(() => Dataset.fromRows([{ a: 1 }, { a: 1, b: 2 }])).toThrow(DataError)
  })

  it('names a number that would be infinite in the kind of the first rows', async () => {
    const rows = (late: number) =>
      Dataset.fromRows(() => Array.from({ length: 3000 }, (_, i) => ({ a: i < 2999 ? 1 : late })))
    await expect(rows(1e39).columns()).rejects.toThrow(/Row 2999, column "a".*32 bits hold; received 1e\+?39/)
    expect((await rows(Number.POSITIVE_INFINITY).columns()).a!.data[2999]).toBe(Number.POSITIVE_INFINITY)
  })

  it('reads a generator once, and a function of one for every pass', async () => {
    function* rows() {
      yield { a: 1 }
      yield { a: 2 }
    }
    const again = Dataset.fromRows(rows)
    for (let pass = 0; pass < 2; pass++) expect((await again.columns()).a!.data).toEqual(Float32Array.of(1, 2))
    const once = Dataset.fromRows(rows())
    expect((await once.columns()).a!.data).toEqual(Float32Array.of(1, 2))
    await expect(once.columns()).rejects.toThrow(StateError)
  })
})

describe('fromTensors', () => {
  it('copies values and kinds', async () => {
    await tf.setBackend('cpu')
    const x = tf.tensor2d([
      [1, 2],
      [3, 4],
    ])
    const y = tf.tensor1d([0, 1], 'int32')
    const dataset = Dataset.fromTensors({ x, y })
    tf.dispose([x, y])
    expect(await dataset.columns()).toEqual({
      x: { data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] },
      y: { data: Int32Array.of(0, 1), shape: [2] },
    })
  })
})

describe('wrong use', () => {
  it('is told apart', async () => {
    const three = { data: new Float32Array(3), shape: [3] }
    expect(() => Dataset.fromArrays({})).toThrow(DataError)
    expect(() => Dataset.fromArrays({ x: { ...three, shape: [2] } })).toThrow(ShapeError)
    expect(() => Dataset.fromArrays({ x: three, y: { data: new Int32Array(2), shape: [2] } })).toThrow(/2 rows in "y"/)
    expect(() => inMemory(3).take(-1)).toThrow(ConfigError)
    expect(() => inMemory(3).shard(3, 3)).toThrow(ConfigError)
    expect(() => inMemory(3).split({ a: 0.5, b: 0.6 })).toThrow(ConfigError)
    expect(() => inMemory(3).split({ a: 0.5, b: 0.5 }, { stratifyBy: 'none' })).toThrow(/"none".*id, x, name/)
    expect(() => streamed(3).split({ a: 0.5, b: 0.5 })).toThrow(StateError)
    await expect(
      streamed(3)
        .filter(() => false)
        .columns(),
    ).rejects.toThrow(DataError)
  })
})
