/** Streams that are kept, mixed and read ahead. */
import { describe, expect, it } from 'vitest'
import { ConfigError, DataError, deferred, StateError, StorageError } from '../../../src/core/index.js'
import { type Columns, Dataset, interleave } from '../../../src/data/index.js'
import { memory } from '../../../src/storage/index.js'

const chunk = (...ids: number[]): Columns => ({
  id: { data: Int32Array.from(ids), shape: [ids.length] },
  name: { data: ids.map((id) => `row ${id}, "quoted"\u2028 ☃`), shape: [ids.length] },
})

/** A stream of chunks, and how many were asked for in all passes. */
function counted(chunks: readonly Columns[]) {
  const log = { reads: 0, passes: 0, returned: 0 }
  const stream = Dataset.fromBatches(async function* () {
    log.passes++
    try {
      for (const part of chunks) {
        log.reads++
        yield part
      }
    } finally {
      log.returned++
    }
  })
  return { stream, log }
}

async function ids(dataset: Dataset): Promise<number[]> {
  const found: number[] = []
  for await (const { id } of dataset.rows()) found.push(id as number)
  return found
}

describe.each([
  ['in memory', () => ({})],
  ['in a store', () => ({ store: memory() })],
])('a cache %s', (_, options) => {
  it('reads its source once, gives the same columns, and knows no order of epochs', async () => {
    const { stream, log } = counted([chunk(0, 1, 2), chunk(3), chunk(4, 5)])
    const cached = stream.shuffle({ seed: 1, bufferSize: 3, reshuffle: true }).cache(options())
    const first = []
    for await (const batch of cached.batches(2, { epoch: 3 })) first.push(batch)
    const second = []
    for await (const batch of cached.batches(2, { epoch: 5 })) second.push(batch)
    expect(second).toEqual(first)
    expect(log).toEqual({ reads: 3, passes: 1, returned: 1 })
  })

  it('keeps nothing of a pass that ended early, or that failed', async () => {
    let fails = true
    let passes = 0
    const stream = Dataset.fromBatches(async function* () {
      passes++
      yield chunk(0, 1)
      if (fails) throw new DataError('broken')
      yield chunk(2)
    })
    const cached = stream.cache(options())
    expect(await ids(cached.take(1))).toEqual([0])
    await expect(ids(cached)).rejects.toThrow('broken')
    fails = false
    expect(await ids(cached)).toEqual([0, 1, 2])
    expect(await ids(cached)).toEqual([0, 1, 2])
    expect(passes).toBe(3)
  })

  it('gives two passes at a time all rows each', async () => {
    const { stream } = counted([chunk(0), chunk(1), chunk(2)])
    const cached = stream.cache(options())
    expect(await Promise.all([ids(cached), ids(cached)])).toEqual([
      [0, 1, 2],
      [0, 1, 2],
    ])
  })

  it('says when it is full, and how to go on', async () => {
    const { stream } = counted([chunk(0, 1), chunk(2, 3)])
    const full = ids(stream.cache({ maxBytes: 150, ...options() }))
    await expect(full).rejects.toThrow(StateError)
    await expect(full).rejects.toThrow(/at most 150 bytes.*maxBytes/)
  })
})

describe('a cache', () => {
  it('keeps every kind of column in a store', async () => {
    const columns: Columns = {
      f32: { data: Float32Array.of(1.5, Number.NaN, -Infinity, 0), shape: [2, 2] },
      f64: { data: Float64Array.of(Math.PI, 1e300), shape: [2] },
      u8: { data: Uint8Array.of(1, 2, 3, 4, 5, 6), shape: [2, 3] },
      i32: { data: Int32Array.of(-1, 2 ** 31 - 1), shape: [2] },
      text: { data: ['', 'é"\n'], shape: [2] },
    }
    const cached = Dataset.fromBatches(async function* () {
      yield columns
    }).cache({ store: memory() })
    await cached.columns()
    expect(await cached.columns()).toEqual(columns)
  })

  it('says when its store was written to by others', async () => {
    const store = memory()
    const { stream } = counted([chunk(0, 1)])
    const cached = stream.cache({ store })
    await ids(cached)
    await store.write('chunk-000000000', Uint8Array.of(200, 0, 0, 0, 1))
    await expect(ids(cached)).rejects.toThrow(StorageError)
  })

  it('leaves a dataset in memory as it is', () => {
    const data = Dataset.fromArrays(chunk(1, 2))
    expect(data.cache()).toBe(data)
    expect(() => counted([]).stream.cache({ maxBytes: 0 })).toThrow(ConfigError)
  })
})

describe('interleave', () => {
  const three = () => [chunk(0, 1, 2, 3), chunk(10, 11), chunk(20, 21, 22)].map((part) => counted([part]))
  const streams = () => three().map(({ stream }) => stream)

  it('takes rows in turn, to the last row or to the first end', async () => {
    expect(await ids(interleave(streams()))).toEqual([0, 10, 20, 1, 11, 21, 2, 22, 3])
    expect(await ids(interleave(streams(), { until: 'first' }))).toEqual([0, 10, 20, 1, 11, 21, 2])
  })

  it('draws by weight, the same for a seed, another in each epoch, and every row once', async () => {
    const [many, few] = [0, 1].map((from) =>
      Dataset.fromArrays(chunk(...Array.from({ length: 3000 }, (_, i) => 2 * i + from))),
    )
    const mixed = interleave([many!, few!], { weights: [3, 1], seed: 1, until: 'first' })
    const order = await ids(mixed)
    // The first of the two ends after about 4000 rows, of which it has 3000.
    expect(Math.abs(order.length - 4000)).toBeLessThan(200)
    expect(await ids(mixed)).toEqual(order)
    const orders = [0, 1].map(async (epoch) => {
      for await (const { id } of mixed.batches(100, { epoch })) return [...id!.data]
    })
    expect(await orders[1]).not.toEqual(await orders[0])
    const all = interleave([many!, few!], { weights: [3, 1], seed: 2 })
    expect(all.size).toBe(6000)
    expect((await ids(all)).sort((a, b) => a - b)).toEqual(Array.from({ length: 6000 }, (_, i) => i))
  })

  it('ends what it reads when its reader ends', async () => {
    const parts = three()
    expect(await ids(interleave(parts.map(({ stream }) => stream)).take(2))).toEqual([0, 10])
    // The third was not begun.
    expect(parts.map(({ log }) => log.passes - log.returned)).toEqual([0, 0, 0])
  })

  it('says what does not fit', async () => {
    expect(() => interleave([])).toThrow(ConfigError)
    expect(() => interleave(streams(), { weights: [1, 2] })).toThrow(/3 numbers above 0/)
    expect(() => interleave(streams(), { weights: [1, 2, 0] })).toThrow(ConfigError)
    expect(() => interleave(streams(), { until: 'never' as never })).toThrow(/'first' or 'last'/)
    const { id } = chunk(7)
    await expect(ids(interleave([...streams(), Dataset.fromArrays({ id: id! })]))).rejects.toThrow(DataError)
  })
})

describe('prefetch', () => {
  /** A stream whose chunks come when the test lets them. */
  function held(chunks: number) {
    const gates = Array.from({ length: chunks }, () => deferred<void>())
    const log = { asked: 0, returned: false }
    const stream = Dataset.fromBatches(async function* () {
      try {
        for (let i = 0; i < chunks; i++) {
          log.asked++
          await gates[i]!.promise
          yield chunk(i)
        }
      } finally {
        log.returned = true
      }
    })
    return { gates, log, stream }
  }

  /** Lets all promises that are settled go as far as they can. */
  const settle = () => new Promise((resolve) => setImmediate(resolve))

  it('reads on while its reader works, and no further than asked', async () => {
    for (const count of [1, 2, 3]) {
      const { gates, log, stream } = held(8)
      for (const gate of gates) gate.resolve()
      const reader = stream.prefetch(count).batches(1)[Symbol.asyncIterator]()
      await settle()
      expect(log.asked).toBe(0)
      for (let taken = 1; taken <= 3; taken++) {
        await reader.next()
        await settle()
        // One in the reader's hands, `count` behind it.
        expect(log.asked).toBe(taken + count)
      }
      await reader.return!()
      expect(log.returned).toBe(true)
    }
  })

  it('gives rows in order, whoever is late', async () => {
    const { gates, stream } = held(4)
    const found = ids(stream.prefetch(2))
    for (const gate of gates.reverse()) gate.resolve()
    expect(await found).toEqual([0, 1, 2, 3])
  })

  it('gives what came before an error, then the error, and reads no more', async () => {
    let passes = 0
    const stream = Dataset.fromBatches(async function* () {
      passes++
      yield chunk(0)
      yield chunk(1)
      throw new DataError('row 2 is broken')
    })
    const seen: number[] = []
    const reading = (async () => {
      for await (const batch of stream.prefetch(5).batches(1)) {
        // Long after the error has happened ahead.
        await settle()
        seen.push(batch.id!.data[0] as number)
      }
    })()
    await expect(reading).rejects.toThrow('row 2 is broken')
    expect([seen, passes]).toEqual([[0, 1], 1])
  })

  it('ends the reading ahead when its reader ends, after the chunk under way', async () => {
    const { gates, log, stream } = held(8)
    gates[0]!.resolve()
    const reader = stream.prefetch(3).batches(1)[Symbol.asyncIterator]()
    await reader.next()
    await settle()
    expect(log.asked).toBe(2)
    const ended = reader.return!()
    gates[1]!.resolve()
    await ended
    expect(log).toEqual({ asked: 2, returned: true })
  })
})
