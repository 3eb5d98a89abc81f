/** Constants and random numbers that are made where they are read. */

import { describe, expect, it } from 'vitest'
import { binaryCodes, type RecordedCall, randomCodes } from '../../../src/backends/index.js'
import { makeCall, type Step } from '../../../src/engine/plan/index.js'
import { joinCalls } from '../../../src/engine/plan/join-calls.js'
import { repeatDraws } from '../../../src/engine/plan/repeat-draws.js'

const [rows, width] = [4, 6]
const n = rows * width
const at = (buffer: number) => ({ buffer, offset: 0 })
const draw = (kind: keyof typeof randomCodes, out: number) =>
  makeCall('philoxFill', [at(out), rows, width, randomCodes[kind], 0.5, 1, 2, 3, 4])
const multiply = (a: number, b: number, out: number) =>
  makeCall('binary', [binaryCodes.mul, 0, at(a), at(b), at(out), 1, n, n, 1, n, 1])
const sum = (x: number, out: number) => makeCall('reduce', [0, at(x), at(out), 1, n, 1])
const step = (calls: RecordedCall[], results: number[]): Step => ({
  calls,
  sizes: Array.from({ length: 8 }, () => n * 4),
  given: new Set([0]),
  results: new Set(results),
})
const names = ({ calls }: Step) => calls.map(({ name, parts }) => parts?.map((part) => part.name).join('+') ?? name)
const constant = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer)
const all = (value: number) => constant(...Array.from({ length: n }, () => value))

describe('a mask of dropout', () => {
  // A sum of all between forward and backward pass.
  const calls = [draw('dropoutMask', 1), multiply(0, 1, 2), sum(2, 3), sum(3, 4), multiply(2, 1, 5)]
  const apart = [...calls.slice(0, 4), sum(4, 3), sum(3, 6), sum(6, 3), sum(3, 4), calls[4]!]

  it('is drawn where it is used, and is never stored', () => {
    const planned = joinCalls(repeatDraws(step(apart, [4, 5]), new Map()))
    expect(names(planned)).toEqual(['philoxFill+binary', ...Array(6).fill('reduce'), 'philoxFill+binary'])
    const written = planned.calls.flatMap(({ name, places }) => (name === 'joined' ? [...places.values()] : []))
    expect(written.map(({ buffer }) => buffer)).toEqual([0, 2, 2, 5])
  })

  it('keeps the numbers that it is given anew', () => {
    const inputs = new Map([[6, 'step']])
    const { calls } = repeatDraws(step([{ ...apart[0]!, inputs }, ...apart.slice(1)], [5]), new Map())
    expect(calls.filter(({ name }) => name === 'philoxFill').map((call) => call.inputs)).toEqual([inputs, inputs])
  })

  it('is drawn once where a call reads it that is not joined, or where it is a result', () => {
    for (const given of [
      step([...calls, sum(1, 6)], [3, 5, 6]),
      step(calls, [1, 5]),
      step([draw('normal', 1), ...calls.slice(1)], [5]),
    ])
      expect(repeatDraws(given, new Map()).calls).toEqual(given.calls)
  })
})

describe('a constant of equal numbers', () => {
  const given = step([multiply(0, 1, 2), sum(2, 3), multiply(0, 1, 4)], [3, 4])

  it('is no memory but a number', () => {
    const planned = repeatDraws(given, new Map([[1, all(1)]]))
    expect(names(planned)).toEqual(['fill', 'binary', 'reduce', 'fill', 'binary'])
    expect(planned.calls.some(({ places }) => [...places.values()].some(({ buffer }) => buffer === 1))).toBe(false)
    expect(planned.calls[0]!.numbers.get(3)).toBe(1)
  })

  it('stays where something is written to it', () => {
    const addTo = (x: number, out: number) => makeCall('addInto', [at(x), at(out), n, 1])
    const filled = makeCall('fill', [0, at(1), n, 1])
    for (const calls of [given.calls, [filled, ...given.calls]]) {
      const written = step([...calls, addTo(0, 1), multiply(0, 1, 5)], [3, 4, 5])
      expect(repeatDraws(written, new Map([[1, all(1)]])).calls).toEqual(written.calls)
    }
  })

  it('stays where numbers differ, bits are none of an ordinary float, or a sum reads it', () => {
    const different = all(1)
    different[5] = 7
    for (const content of [different, all(Number.NaN), all(1e-45), constant(2)])
      expect(repeatDraws(given, new Map([[1, content]])).calls).toEqual(given.calls)
    const read = step([sum(1, 3), multiply(0, 1, 4)], [3, 4])
    expect(repeatDraws(read, new Map([[1, all(1)]])).calls).toEqual(read.calls)
  })
})
