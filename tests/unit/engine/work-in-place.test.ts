/** Calls that write over their operands: in the one range of a program, a step computes what it does with room for all. */

import { describe, expect, it } from 'vitest'
import { binaryCodes, type RecordedCall, unaryCodes } from '../../../src/backends/index.js'
import { Random } from '../../../src/core/index.js'
import { makeCall, type Step } from '../../../src/engine/plan/index.js'
import { joinCalls } from '../../../src/engine/plan/join-calls.js'
import { placeBuffers } from '../../../src/engine/plan/place-buffers.js'
import { workInPlace } from '../../../src/engine/plan/work-in-place.js'
import { type Memory, runCalls } from './run-calls.js'

const n = 16
const at = (buffer: number) => ({ buffer, offset: 0 })
const unary = (x: number, out: number) => makeCall('unary', [unaryCodes.neg, at(x), at(out), n, 0, 0])
const binary = (a: number, b: number, out: number) =>
  makeCall('binary', [binaryCodes.sub, 0, at(a), at(b), at(out), 1, n, n, 1, n, 1])
/** b as one row of four, for all rows. */
const row = (a: number, b: number, out: number) =>
  makeCall('binary', [binaryCodes.sub, 0, at(a), at(b), at(out), 4, 4, 4, 1, 0, 1])
const sum = (x: number, out: number) => makeCall('reduce', [0, at(x), at(out), 1, n, 1])
const step = (calls: RecordedCall[], results: number[], buffers: number): Step => ({
  calls,
  sizes: Array.from({ length: buffers }, () => n * 4),
  given: new Set([0]),
  results: new Set(results),
})

describe('a buffer', () => {
  it('takes the place of an operand that is read for the last time', () => {
    const planned = workInPlace(step([unary(0, 1), unary(1, 2), unary(2, 3), sum(3, 4)], [4], 5))
    expect([...planned.inPlace!]).toEqual([
      [2, 1],
      [3, 1],
    ])
    const { offsets, bytes } = placeBuffers(planned, new Set())
    expect([2, 3].map((buffer) => offsets.get(buffer))).toEqual([offsets.get(1), offsets.get(1)])
    expect(bytes).toBe(2 * n * 4)
  })

  it('does not where the operand is given, a result, read later or read as a row', () => {
    for (const [calls, results] of [
      [[unary(0, 1)], [2]],
      [
        [unary(0, 1), unary(1, 2)],
        [1, 2],
      ],
      [[unary(0, 1), unary(1, 2), sum(1, 3)], [3]],
      [[unary(0, 1), row(0, 1, 2), sum(2, 3)], [3]],
    ] as const)
      expect(workInPlace(step([...calls], [...results], 4)).inPlace).toEqual(new Map())
  })

  it('does not where it was written before, while the operand was in use', () => {
    const calls = [unary(0, 1), unary(0, 2), sum(2, 3), unary(1, 2), sum(2, 4)]
    expect(workInPlace(step(calls, [3, 4], 5)).inPlace).toEqual(new Map())
  })

  it('does not where the same call writes the operand', () => {
    const joined = joinCalls(step([unary(0, 1), sum(1, 3), unary(1, 1), unary(1, 2), sum(2, 4)], [3, 4], 5))
    expect(joined.calls.map(({ name }) => name)).toEqual(['unary', 'reduce', 'joined', 'reduce'])
    expect(workInPlace(joined).inPlace).toEqual(new Map())
  })
})

it('leaves what a step computes, joined or not', () => {
  let shared = 0
  for (let seed = 0; seed < 300; seed++) {
    const random = new Random(seed)
    const buffers = 14
    const calls = Array.from({ length: buffers - 1 }, (_, i): RecordedCall => {
      // Mostly of what was just made, so that much ends early.
      const [a, b] = [i - random.integer(Math.min(i + 1, 3)), random.integer(i + 1)]
      const makers = [() => unary(a, i + 1), () => binary(a, b, i + 1), () => row(a, b, i + 1), () => sum(a, i + 1)]
      return makers[random.integer(makers.length)]!()
    })
    // A sum leaves the rest of its buffer as it is: only its first element is looked at, and nothing reads the others.
    const whole = calls.map((call, i) => (call.name === 'reduce' ? unary(i, i + 1) : call))
    const given = step([...whole, sum(buffers - 1, buffers)], [buffers, 5], buffers + 1)
    const planned = workInPlace(seed % 2 === 0 ? joinCalls(given) : given)
    shared += planned.inPlace!.size
    const { offsets, bytes } = placeBuffers(planned, new Set())
    const arena = new Float64Array(bytes / 4)
    const apart: Memory = new Map(given.sizes.map((_, buffer) => [buffer, new Float64Array(n)]))
    const together: Memory = new Map()
    for (const [buffer, offset] of offsets) together.set(buffer, arena.subarray(offset / 4, offset / 4 + n))
    for (const memory of [apart, together]) memory.get(0)?.set(Array.from({ length: n }, (_, i) => i * i))
    runCalls(given.calls, apart)
    runCalls(planned.calls, together)
    for (const [buffer, length] of [
      [buffers, 1],
      [5, n],
    ] as const)
      expect({ seed, values: [...together.get(buffer)!.subarray(0, length)] }).toEqual({
        seed,
        values: [...apart.get(buffer)!.subarray(0, length)],
      })
  }
  expect(shared).toBeGreaterThan(300)
})
