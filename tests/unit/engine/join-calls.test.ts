/** Joined calls: what the planner joins, and that it changes nothing of what a step computes. */

import { describe, expect, it } from 'vitest'
import {
  binaryCodes,
  elementwiseOf,
  MAX_READS,
  type Place,
  type RecordedCall,
  unaryCodes,
} from '../../../src/backends/index.js'
import { Random } from '../../../src/core/index.js'
import { costOf } from '../../../src/engine/call-cost.js'
import { makeCall, type Step, writeElsewhere } from '../../../src/engine/plan/index.js'
import { joinCalls } from '../../../src/engine/plan/join-calls.js'
import { type Memory, OUTSIDE, runCalls } from './run-calls.js'

const n = 24
const at = (buffer: number, offset = 0) => ({ buffer, offset })
const unary = (name: keyof typeof unaryCodes, x: number, out: number, length = n) =>
  makeCall('unary', [unaryCodes[name], at(x), at(out), length, 0, 0])
const binary = (name: keyof typeof binaryCodes, a: number, b: number, out: number) =>
  makeCall('binary', [binaryCodes[name], 0, at(a), at(b), at(out), 1, n, n, 1, n, 1])
/** Adds a row of 8 to 3 rows. */
const addRow = (a: number, row: number, out: number) =>
  makeCall('binary', [binaryCodes.add, 0, at(a), at(row), at(out), 3, 8, 8, 1, 0, 1])
const sum = (x: number, out: number) => makeCall('reduce', [0, at(x), at(out), 1, n, 1])
const step = (calls: RecordedCall[], results: number[], given = [0], bytes = n * 4): Step => ({
  calls,
  sizes: Array.from({ length: 12 }, () => bytes),
  given: new Set(given),
  results: new Set(results),
})
const kernels = ({ calls }: Step) => calls.map((call) => costOf(call).kernel)

describe('what is joined', () => {
  it('calls of one length, with rows and numbers of one for all; each operand is read once', () => {
    const joined = joinCalls(step([unary('neg', 0, 1), binary('mul', 0, 1, 2), addRow(2, 3, 4)], [4], [0, 3]))
    expect(kernels(joined)).toEqual(['neg+mul+add'])
    expect(costOf(joined.calls[0]!).bytes).toBe(4 * (2 * n + 8))
    expect([...joined.calls[0]!.places]).toEqual([
      [0, at(0)],
      [1, at(3)],
      [MAX_READS, at(4)],
    ])
  })

  it('calls with others between them, where the order does not matter', () => {
    const calls = [unary('neg', 0, 1), sum(1, 5), sum(0, 6), unary('exp', 1, 2)]
    expect(kernels(joinCalls(step(calls, [2, 5, 6])))).toEqual(['sum', 'neg+exp', 'sum'])
    const across = [unary('neg', 0, 1), sum(1, 5), makeCall('binary', [0, 0, at(1), at(5), at(2), 1, n, n, 1, 0, 0])]
    expect(joinCalls(step(across, [2], [0], 4)).calls).toEqual(across)
  })

  it('writes what others read, and what is not written whole', () => {
    const calls = [unary('neg', 0, 1), unary('exp', 1, 2), sum(1, 6)]
    expect(joinCalls(step(calls, [2, 6])).calls[0]!.places.size).toBe(3)
    const larger = joinCalls(step([unary('neg', 0, 1), unary('exp', 1, 2)], [2], [0], 200))
    expect(larger.calls[0]!.places.size).toBe(3)
  })

  it('leaves other lengths, places that overlap or whose elements have other bytes, rows of what is written, and single calls', () => {
    const shifted = makeCall('unary', [unaryCodes.exp, at(1, 4), at(2), n, 0, 0])
    const row = makeCall('binary', [binaryCodes.add, 0, at(0), at(1), at(2), 3, 8, 8, 1, 0, 1])
    const inBytes = makeCall('classify', [0, at(0), at(1), n])
    for (const calls of [
      [unary('neg', 0, 1), unary('exp', 0, 2, n - 1)],
      [inBytes, unary('exp', 1, 2)],
      [unary('neg', 0, 1), shifted],
      [unary('neg', 0, 1), row],
      [unary('neg', 0, 1)],
    ])
      expect(joinCalls(step(calls, [1, 2], [0], 200)).calls).toEqual(calls)
  })

  it('few elements that have nothing in common, but not many', () => {
    const calls = (length: number) => [unary('neg', 0, 1, length), sum(0, 5), unary('exp', 3, 4, length)]
    const joined = (length: number) => joinCalls(step(calls(length), [1, 4, 5], [0, 3], 4 * length)).calls
    expect(joined(100).map(({ name }) => name)).toEqual(['reduce', 'joined'])
    expect(joined(1e5)).toEqual(calls(1e5))
  })

  it('goes where it is sent, with all its parts', () => {
    const { calls } = joinCalls(step([unary('neg', 0, 1), unary('exp', 1, 2)], [1, 2]))
    const [moved] = writeElsewhere(calls, at(1), at(-1, 640))!
    expect(moved!.parts!.map(({ places }) => [...places.values()])).toEqual([
      [at(0), at(-1, 640)],
      [at(-1, 640), at(2)],
    ])
    expect([...moved!.places.values()]).toEqual([at(0), at(-1, 640), at(2)])
  })

  it('makes several of more than a kernel is to have', () => {
    const calls = Array.from({ length: 70 }, (_, i) => unary('neg', i % 2, 1 - (i % 2)))
    expect(joinCalls(step(calls, [0])).calls.map(({ parts }) => parts!.length)).toEqual([32, 32, 6])
  })
})

describe('a joined step', () => {
  /** Elements of a buffer; of the memory outside as well. */
  const length = 12
  const results = [0, 1, 2]

  /** Random calls on few buffers: in place, in parts of buffers, with rows and columns, with sums between. */
  function randomStep(random: Random): Step {
    const calls: RecordedCall[] = []
    const pick = <T>(list: readonly T[]): T => list[random.integer(list.length)]!
    const place = (size: number): Place => {
      const buffer = random.integer(8) - 1
      // Outside, 0 is no address.
      return at(
        buffer,
        4 * pick([0, 0, 1, length - size].filter((o) => o + size <= length)) + (buffer < 0 ? OUTSIDE : 0),
      )
    }
    const makers: ((size: number) => RecordedCall)[] = [
      (size) => makeCall('unary', [unaryCodes.neg, place(size), place(size), size, 0, 0]),
      (size) => makeCall('addInto', [place(size), place(size), size, 0.5]),
      (size) => makeCall('fill', [0, place(size), size, random.integer(5)]),
      (size) => makeCall('copyRows', [place(length), place(size), size / 2, 8, (length / size) * 8, 8]),
      (size) => makeCall('reduce', [0, place(size), place(1), 1, size, 1]),
      (size) => {
        const [rows, inner] = pick([
          [1, size],
          [2, size / 2],
          [size / 2, 2],
        ] as const)
        const [rowA, stepA, rowB, stepB] = pick([
          [inner, 1, inner, 1],
          [inner, 1, 0, 1],
          [1, 0, inner, 1],
          [0, 0, inner, 1],
        ])
        const places = [place(size), place(size), place(size)] as const
        return makeCall('binary', [binaryCodes.sub, 0, ...places, rows, inner, rowA!, stepA!, rowB!, stepB!])
      },
    ]
    while (calls.length < 14) {
      const call = pick(makers)(pick([6, 12, 12]))
      if (isAllowed(call)) calls.push(call)
    }
    return {
      calls,
      sizes: Array.from({ length: 7 }, () => length * 4),
      given: new Set(results),
      results: new Set(results),
    }
  }

  /** An output lies apart from what is read, or is an operand of its shape. */
  function isAllowed(call: RecordedCall): boolean {
    const form = elementwiseOf(call)
    if (!form) return call.places.get(1)!.buffer !== call.places.get(2)!.buffer
    const out = call.places.get(form.out.argument)!
    return form.operands.every(({ argument, axes }) => {
      const { buffer, offset } = call.places.get(argument)!
      return buffer !== out.buffer || (offset === out.offset && axes.length === 1 && axes[0]!.stride === 1)
    })
  }

  it('computes what the calls do one by one, whatever they share', () => {
    let joined = 0
    for (let seed = 0; seed < 400; seed++) {
      const random = new Random(seed)
      const given = randomStep(random)
      const planned = joinCalls(given)
      const [one, other] = [given, planned].map(({ calls }) => {
        const memory: Memory = new Map()
        for (let buffer = -1; buffer < 7; buffer++)
          memory.set(
            buffer,
            Float64Array.from({ length: length + 1 }, (_, i) => buffer * 100 + i),
          )
        runCalls(calls, memory)
        return [-1, ...results].map((buffer) => [...memory.get(buffer)!])
      })
      expect({ seed, values: other }).toEqual({ seed, values: one })
      joined += planned.calls.filter(({ parts }) => parts).length
    }
    expect(joined).toBeGreaterThan(400)
  })
})
