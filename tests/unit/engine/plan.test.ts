import { describe, expect, it } from 'vitest'
import { activationCodes, binaryCodes, type RecordedCall, unaryCodes } from '../../../src/backends/index.js'
import { Random } from '../../../src/core/index.js'
import { makeCall, type Step } from '../../../src/engine/plan/calls.js'
import { removeDeadCalls } from '../../../src/engine/plan/dead-calls.js'
import { writeResultsDirectly } from '../../../src/engine/plan/direct-results.js'
import { foldEpilogues } from '../../../src/engine/plan/fold-epilogues.js'
import { fuseReluGradients } from '../../../src/engine/plan/fuse-relu-gradients.js'
import { placeBuffers } from '../../../src/engine/plan/place-buffers.js'

const at = (buffer: number, offset = 0) => ({ buffer, offset })
const outside = (offset: number) => at(-1, offset)
const none = outside(0)
const [m, n, k] = [6, 5, 4]

/** x `[m, k]` times w `[k, n]`. */
const product = (x: number, w: number, out: number, bias = none, activation: number = activationCodes.linear) =>
  makeCall('matMul', [at(x), outside(w), at(out), bias, activation, m, n, k, 0, 0, k, n, n, 1, 0, 0, 0])
const addBias = (x: number, bias: number, out: number) =>
  makeCall('binary', [binaryCodes.add, 0, at(x), outside(bias), at(out), m, n, n, 1, 0, 1])
const unary = (name: keyof typeof unaryCodes, x: number, out: number) =>
  makeCall('unary', [unaryCodes[name], at(x), at(out), m * n, 0, 0])
const multiply = (a: number, b: number, out: number) =>
  makeCall('binary', [binaryCodes.mul, 0, at(a), at(b), at(out), 1, m * n, m * n, 1, m * n, 1])
const copyOut = (x: number, to: number) => makeCall('copyRows', [at(x), outside(to), 1, m * n * 4, 0, 0])

const step = (calls: RecordedCall[], results: number[], given: number[] = [0]): Step => ({
  calls,
  sizes: Array.from({ length: 20 }, () => m * n * 4),
  given: new Set(given),
  results: new Set(results),
})
const names = ({ calls }: Step) => calls.map(({ name }) => name)

describe('planning a step', () => {
  it('leaves out what nobody reads', () => {
    const { calls } = removeDeadCalls(step([product(0, 640, 1), unary('exp', 1, 2), unary('neg', 1, 3)], [3]))
    expect(calls.map(({ places }) => places.get(2)?.buffer)).toEqual([1, 3])
  })

  it('folds bias and activation into the product', () => {
    const folded = foldEpilogues(step([product(0, 640, 1), addBias(1, 960, 2), unary('relu', 2, 3)], [3]))
    expect(folded.calls).toEqual([product(0, 640, 3, outside(960), activationCodes.relu)])
  })

  it('keeps a sum that is read again, unless it is for the slope of relu', () => {
    const start = [product(0, 640, 1), addBias(1, 960, 2), unary('relu', 2, 3)]
    const read = foldEpilogues(step([...start, unary('exp', 2, 4)], [3, 4]))
    expect(names(read)).toEqual(['matMul', 'unary', 'unary'])
    const slope = foldEpilogues(step([...start, unary('step', 2, 4)], [3, 4]))
    expect(slope.calls).toEqual([product(0, 640, 3, outside(960), activationCodes.relu), unary('step', 3, 4)])
    expect(names(foldEpilogues(step(start, [1, 3])))).toEqual(['matMul', 'binary', 'unary'])
  })

  it('makes one call of the slope of relu and its product', () => {
    const calls = [product(0, 640, 1), unary('step', 1, 2), unary('exp', 1, 3), multiply(3, 2, 4)]
    const fused = fuseReluGradients(step(calls, [4]))
    expect(names(fused)).toEqual(['matMul', 'unary', 'binary'])
    expect([...fused.calls[2]!.places.values()]).toEqual([at(3), at(1), at(4)])
    expect(names(fuseReluGradients(step(calls, [2, 4])))).toHaveLength(4)
  })

  it('writes gradients where they belong, unless somebody else writes there', () => {
    const direct = writeResultsDirectly(step([product(0, 640, 1), copyOut(1, 1280)], []))
    expect(names(direct)).toEqual(['matMul'])
    expect(direct.calls[0]!.places.get(2)).toEqual(outside(1280))
    const added = makeCall('addInto', [at(2), outside(1280), m * n, 1])
    expect(names(writeResultsDirectly(step([product(0, 640, 1), copyOut(1, 1280), added], [])))).toHaveLength(3)
    expect(names(writeResultsDirectly(step([product(0, 640, 1), copyOut(1, 1280)], [1])))).toHaveLength(2)
  })

  it('never gives one place to two buffers that are in use at the same time', () => {
    const random = new Random(7)
    for (let round = 0; round < 50; round++) {
      const buffers = 30
      const sizes = Array.from({ length: buffers }, () => 1 + Math.floor(random.uniform() * 500))
      const calls = Array.from({ length: buffers - 1 }, (_, i) =>
        makeCall('unary', [0, at(Math.floor(random.uniform() * (i + 1))), at(i + 1), 1, 0, 0]),
      )
      const { offsets, bytes } = placeBuffers(
        { calls, sizes, given: new Set([0]), results: new Set([7]) },
        new Set([0]),
      )
      const touched = (buffer: number) =>
        calls.flatMap(({ places }, i) => ([...places.values()].some((place) => place.buffer === buffer) ? [i] : []))
      const life = (buffer: number) => {
        const all = touched(buffer)
        return { from: buffer === 0 ? -1 : all[0]!, to: buffer === 0 || buffer === 7 ? buffers : all.at(-1)! }
      }
      for (const [a, offsetA] of offsets)
        for (const [b, offsetB] of offsets) {
          if (a >= b) continue
          const apart = offsetA + sizes[a]! <= offsetB || offsetB + sizes[b]! <= offsetA
          expect(apart || life(a).to < life(b).from || life(b).to < life(a).from).toBe(true)
          expect(offsetA + sizes[a]!).toBeLessThanOrEqual(bytes)
        }
    }
  })
})
