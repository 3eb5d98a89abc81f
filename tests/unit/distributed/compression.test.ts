import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { selectBackend } from '../../../src/backends/index.js'
import { Random } from '../../../src/core/index.js'
import { CompressedMember } from '../../../src/distributed/compressed-member.js'
import { encodeSparse, messagesOf } from '../../../src/distributed/compression/sparse.js'
import { bfloat16, type Compression, float16, int8, powerSgd, topK } from '../../../src/distributed/index.js'
import { FlatParameters } from '../../../src/engine/index.js'
import { memoryTransports } from '../../../src/transport/index.js'

beforeAll(async () => {
  await selectBackend()
})

const SHAPES = [[60, 40], [40], [3, 3, 8, 20]]
const WORKERS = 3

/** Workers with gradients of their own, and a member each. */
function group(compression: Compression, shapes = SHAPES) {
  const parameters = Array.from({ length: WORKERS }, () => {
    const named = shapes.map((shape, i) => ({ name: `w${i}`, shape, variable: tf.variable(tf.zeros(shape)) }))
    return new FlatParameters(named)
  })
  const members = memoryTransports(WORKERS).map((end) => new CompressedMember(end, compression))
  const { length } = parameters[0]!.layout
  return {
    length,
    members,
    /** Adds up gradients. @returns Each worker's result. */
    reduce: (gradients: Float32Array[]) =>
      Promise.all(
        members.map(async (member, rank) => {
          parameters[rank]!.gradients.set(gradients[rank]!)
          await member.synchronize(parameters[rank]!)
          return parameters[rank]!.gradients.slice(0, length)
        }),
      ),
    /** What the workers have not sent yet, all together. */
    async unsent() {
      const states = await Promise.all(members.map((member, rank) => member.gatherState(parameters[rank]!, [])))
      const errors = Object.entries(states[0]!.strategy ?? {}).filter(([name]) => name.startsWith('error.'))
      return sum(errors.map(([, error]) => error))
    },
    dispose() {
      for (const some of parameters) {
        some.dispose()
        tf.dispose(some.variables as tf.Variable[])
      }
    },
  }
}

const random = new Random(9)
const normals = (length: number) => Float32Array.from({ length }, () => random.normal())
const sum = (arrays: Float32Array[]): number[] =>
  Array.from(arrays[0]!, (_, i) => arrays.reduce((total, array) => total + array[i]!, 0))
const norm = (values: ArrayLike<number>) => Math.hypot(...Array.from(values))
const distance = (a: ArrayLike<number>, b: ArrayLike<number>) => norm(Array.from(a, (value, i) => value - b[i]!))

describe.each<[string, Compression, number]>([
  ['float16', float16(), 2 ** -11],
  ['bfloat16', bfloat16(), 2 ** -8],
  ['int8', int8({ bucket: 64 }), 0.02],
])('%s', (_name, compression, tolerance) => {
  it('gives nearly the sum, the same on every worker, for gradients of any size', async () => {
    const { length, reduce, dispose } = group(compression)
    for (const size of [1e-6, 1, 1e6]) {
      const gradients = Array.from({ length: WORKERS }, () => normals(length).map((value) => value * size))
      const [first, ...others] = await reduce(gradients)
      const exact = sum(gradients)
      expect(distance(first!, exact) / norm(exact)).toBeLessThan(tolerance)
      for (const other of others) expect(other).toEqual(first)
    }
    dispose()
  })
})

describe.each<[string, Compression]>([
  ['int8', int8({ bucket: 64 })],
  ['top-k', topK({ ratio: 0.05 })],
  ['PowerSGD', powerSgd({ rank: 2 })],
])('%s', (_name, compression) => {
  it('loses nothing: what was not sent is kept', async () => {
    const { length, reduce, unsent, dispose } = group(compression)
    const given: Float32Array[] = []
    const received: Float32Array[] = []
    for (let step = 0; step < 4; step++) {
      const gradients = Array.from({ length: WORKERS }, () => normals(length))
      given.push(...gradients)
      received.push((await reduce(gradients))[0]!)
    }
    const exact = sum(given)
    const sent = sum(received)
    const left = await unsent()
    expect(distance(sent, exact) / norm(exact)).toBeGreaterThan(1e-4)
    expect(
      distance(
        sent.map((value, i) => value + left[i]!),
        exact,
      ) / norm(exact),
    ).toBeLessThan(1e-6)
    dispose()
  })

  it('takes infinite and missing numbers along, so that the loss tells of them', async () => {
    const { length, reduce, dispose } = group(compression)
    const gradients = Array.from({ length: WORKERS }, () => normals(length))
    gradients[1]![7] = Number.NaN
    const [result] = await reduce(gradients)
    expect(result!.some((value) => Number.isNaN(value))).toBe(true)
    dispose()
  })
})

describe('PowerSGD', () => {
  it('is exact for matrices of its rank', async () => {
    const { length, reduce, dispose } = group(powerSgd({ rank: 2 }), [[50, 30]])
    const directions = [normals(50), normals(50)]
    const gradients = Array.from({ length: WORKERS }, () => {
      const weights = [normals(30), normals(30)]
      return Float32Array.from(
        { length },
        (_, i) =>
          directions[0]![Math.floor(i / 30)]! * weights[0]![i % 30]! +
          directions[1]![Math.floor(i / 30)]! * weights[1]![i % 30]!,
      )
    })
    const exact = sum(gradients)
    expect(distance((await reduce(gradients))[0]!, exact) / norm(exact)).toBeLessThan(1e-5)
    dispose()
  })

  it('finds its way again after gradients of zeros', async () => {
    const { length, reduce, dispose } = group(powerSgd({ rank: 2 }), [[50, 30]])
    const none = Array.from({ length: WORKERS }, () => new Float32Array(length))
    expect(norm((await reduce(none))[0]!)).toBe(0)
    const ones = Array.from({ length: WORKERS }, () => new Float32Array(length).fill(1))
    expect(distance((await reduce(ones))[0]!, sum(ones)) / norm(sum(ones))).toBeLessThan(1e-5)
    dispose()
  })
})

describe('bytes', () => {
  it.each<[string, Compression, number]>([
    ['float16', float16(), 1.9],
    ['int8', int8(), 3.8],
    ['top-k of 1 %', topK({ ratio: 0.01 }), 40],
    ['PowerSGD of rank 2', powerSgd({ rank: 2 }), 40],
  ])('%s cuts them', async (_name, compression, factor) => {
    const shapes = [[400, 300]]
    const { length, members, reduce, dispose } = group(compression, shapes)
    const sentSoFar = () => members.reduce((total, { sentBytes }) => total + sentBytes, 0) / WORKERS
    const gradients = Array.from({ length: WORKERS }, () => normals(length))
    // The first call measures the link as well.
    await reduce(gradients)
    const before = sentSoFar()
    await reduce(gradients)
    const sent = sentSoFar() - before
    // A ring of all-reduce.
    const whole = (2 * (WORKERS - 1) * length * 4) / WORKERS
    expect(whole / sent).toBeGreaterThan(factor)
    dispose()
  })
})

describe('encodeSparse', () => {
  it('takes the largest out, wherever they are', () => {
    const values = new Float32Array(40_000).fill(0.01)
    const places = [0, 1, 200, 20_000, 39_999]
    for (const [i, place] of places.entries()) values[place] = i % 2 === 0 ? 2 + i : -2 - i
    const [entries] = [...messagesOf(encodeSparse(values, places.length))].map((message) => [...message])
    expect(entries).toEqual(places.map((place, i) => [place, i % 2 === 0 ? 2 + i : -2 - i]))
    expect(places.every((place) => values[place] === 0)).toBe(true)
  })

  it('takes as many as asked for among equals, and leaves what rounding cuts', () => {
    const values = new Float32Array(10).fill(1 / 3)
    const [entries] = [...messagesOf(encodeSparse(values, 4))].map((message) => [...message])
    expect(entries!.map(([index]) => index)).toEqual([0, 1, 2, 3])
    const [, sent] = entries![0]!
    expect(sent + values[0]!).toBeCloseTo(1 / 3, 7)
    expect(values[9]).toBe(Math.fround(1 / 3))
  })
})

it('refuses options out of range', () => {
  expect(() => topK({ ratio: 0 })).toThrow(/ratio/)
  expect(() => int8({ bucket: 1.5 })).toThrow(/bucket/)
  expect(() => powerSgd({ rank: 0 })).toThrow(/rank/)
  expect(() => powerSgd({ seed: -1 })).toThrow(/seed/)
})
