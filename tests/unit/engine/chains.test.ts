/** Chains of elementwise kernels: what the planner joins, and that the bits are those of the kernels one by one. */

import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  binaryCodes,
  createDeviceFloats,
  createProgram,
  deviceFloats,
  pointerOf,
  type RecordedCall,
  recordCalls,
  selectBackend,
  unaryCodes,
} from '../../../src/backends/index.js'
import { costOf } from '../../../src/engine/call-cost.js'
import { makeCall, planStep, type Step } from '../../../src/engine/plan/index.js'
import { joinChains } from '../../../src/engine/plan/join-chains.js'
import { noise } from '../backends/gradients/numeric-gradient.js'

const n = 10_001
const at = (buffer: number, offset = 0) => ({ buffer, offset })
const unary = (name: keyof typeof unaryCodes, x: number, out: number, length = n) =>
  makeCall('unary', [unaryCodes[name], at(x), at(out), length, 0, 0])
const binary = (name: keyof typeof binaryCodes, a: number, b: number, out: number) =>
  makeCall('binary', [binaryCodes[name], 0, at(a), at(b), at(out), 1, n, n, 1, n, 1])
const scaled = (x: number, factor: number, out: number) =>
  makeCall('binary', [binaryCodes.mul, 0, at(x), at(factor), at(out), 1, n, n, 1, 0, 0])
const step = (calls: RecordedCall[], results: number[], given = [0]): Step => ({
  calls,
  sizes: Array.from({ length: 12 }, () => n * 4),
  given: new Set(given),
  results: new Set(results),
})
const kernels = ({ calls }: Step) => calls.map((call) => (call.name === 'chain' ? costOf(call).kernel : call.name))

describe('what is joined', () => {
  it('neighbours that read what another reads or writes', () => {
    const calls = [unary('neg', 0, 1), unary('exp', 1, 2), binary('mul', 0, 2, 3), scaled(3, 5, 4)]
    const joined = joinChains(step(calls, [4], [0, 5]))
    expect(kernels(joined)).toEqual(['neg+exp+mul+mul'])
    // Read once and written once: what lies between stays in tiles.
    expect(costOf(joined.calls[0]!).bytes).toBe(2 * 4 * n)
    expect(joined.sizes.slice(12)).toEqual([8192, 8192, 8192])
    expect(kernels(joinChains(step([unary('neg', 0, 1), unary('exp', 6, 2)], [1, 2], [0, 6])))).toEqual([
      'unary',
      'unary',
    ])
  })

  it('keeps what is read elsewhere, and what was there before', () => {
    const calls = [unary('neg', 0, 1), unary('exp', 1, 2), makeCall('reduce', [0, at(1), at(6), 1, n, 1])]
    const joined = joinChains(step(calls, [2, 6]))
    expect(kernels(joined)).toEqual(['neg+exp', 'reduce'])
    expect(costOf(joined.calls[0]!).bytes).toBe(3 * 4 * n)
    expect(joined.sizes).toHaveLength(12)
  })

  it('leaves small tensors, other lengths, rows, and single calls', () => {
    const row = makeCall('binary', [binaryCodes.add, 0, at(1), at(2), at(3), 73, 137, 137, 1, 0, 1])
    for (const calls of [
      [unary('neg', 0, 1, 4096), unary('exp', 1, 2, 4096)],
      [unary('neg', 0, 1), unary('exp', 1, 2, n - 1)],
      [unary('neg', 0, 1), row],
      [unary('neg', 0, 1)],
    ])
      expect(joinChains(step(calls, [1, 2, 3])).calls).toEqual(calls)
  })

  it('does not join a number that another link makes, nor places that overlap', () => {
    const last = [unary('neg', 0, 1), scaled(0, 1, 2)]
    expect(joinChains(step(last, [1, 2])).calls).toEqual(last)
    const shifted = makeCall('unary', [unaryCodes.exp, at(1, 4), at(2), n, 0, 0])
    const calls = [unary('neg', 0, 1), shifted]
    expect(joinChains(step(calls, [2])).calls).toEqual(calls)
    const before = [makeCall('unary', [unaryCodes.exp, at(1, 4), at(2), n, 0, 0]), binary('add', 2, 2, 1)]
    expect(joinChains(step(before, [1, 2], [1])).calls).toEqual(before)
  })

  it('makes two of more than eight', () => {
    const calls = Array.from({ length: 11 }, (_, i) => unary('neg', i, i + 1))
    expect(joinChains(step(calls, [11])).calls.map(({ name }) => name)).toEqual(['chain', 'chain'])
  })
})

describe('chains run', () => {
  beforeAll(async () => {
    await selectBackend({ prefer: ['wasm'] })
  })

  const swish = (x: tf.Tensor) => tf.mul(tf.sigmoid(tf.mul(x, 1.5)), x)
  const cases: Record<string, (x: tf.Tensor) => tf.Tensor> = {
    swish,
    'the slope of swish': (x) => tf.grad(swish)(x),
    mish: (x) => tf.mul(x, tf.tanh(tf.softplus(x))),
    'sines of large angles, powers, numbers of one': (x) =>
      tf.add(tf.sin(tf.mul(x, 3e4)), tf.pow(tf.abs(x), tf.sub(2.5, tf.abs(x)))),
    'whole numbers': (x) => {
      const whole = tf.cast(tf.mul(x, 100), 'int32')
      return tf.cast(tf.add(tf.mul(whole, whole), tf.scalar(7, 'int32')), 'float32')
    },
  }

  it.each(Object.keys(cases))('%s, with the bits of the kernels one by one', async (name) => {
    const x = createDeviceFloats(n)!
    x.view().set(noise([n]).dataSync())
    tf.engine().startScope()
    const { result, recording } = recordCalls(() => cases[name]!(x.tensor(0, [n])))
    const place = recording.placeOf(pointerOf(result))
    const constants = new Map<number, Uint8Array>()
    recording.buffers.forEach(({ content }, i) => {
      if (content && 'constant' in content) constants.set(i, content.constant)
    })
    const planned = planStep(
      {
        calls: recording.calls as RecordedCall[],
        sizes: recording.buffers.map(({ bytes }) => bytes),
        given: new Set(constants.keys()),
        results: new Set([place.buffer]),
      },
      constants,
    )
    expect(planned.calls.map((call) => call.name)).toContain('chain')
    const program = createProgram(planned)
    expect(program.run({})).toBe(0)
    const start = program.address(place) / 4
    expect(deviceFloats().slice(start, start + n)).toEqual(await result.data())
    program.dispose()
    tf.engine().endScope()
    x.dispose()
  })
})
