import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { type RandomTensorOptions, randomTensor, randomValues, selectBackend } from '../../../src/backends/index.js'
import { testedBackends } from './tested-backends.js'

const at = { seed: 42, step: 3, firstRow: 0, stream: 1 }

describe.each(testedBackends())('randomTensor on %s', (backend) => {
  beforeAll(async () => {
    await selectBackend({ prefer: [backend] })
  })

  it('draws what the JavaScript form draws', async () => {
    const cases: RandomTensorOptions[] = [
      { kind: 'uniform', shape: [5, 7], ...at },
      { kind: 'uniform', shape: [3, 4, 4], ...at, seed: 0xffffffff, step: 0xfffffff0, firstRow: 0xfffffff0, stream: 7 },
      { kind: 'dropoutMask', shape: [9, 11], rate: 0.3, ...at },
      { kind: 'normal', shape: [4, 13], ...at },
      { kind: 'uniform', shape: [6], ...at },
      { kind: 'uniform', shape: [], ...at },
    ]
    for (const options of cases) {
      const tensor = randomTensor(options)
      const values = await tensor.data<'float32'>()
      expect(tensor.shape).toEqual(options.shape)
      const reference = randomValues(options)
      // Logarithm and cosine may differ in the last bits between the two; uniform numbers may not.
      if (options.kind === 'normal')
        for (let i = 0; i < reference.length; i++) expect(values[i]).toBeCloseTo(reference[i]!, 5)
      else expect(values).toEqual(reference)
      tensor.dispose()
    }
  })

  it('gives a row the same numbers whichever part of the batch it stands in', async () => {
    const whole = (await randomTensor({ kind: 'normal', shape: [8, 6], ...at }).array()) as number[][]
    const half = (await randomTensor({ kind: 'normal', shape: [4, 6], ...at, firstRow: 4 }).array()) as number[][]
    expect(half).toEqual(whole.slice(4))
  })

  it('has the moments it should have', async () => {
    const { mean, variance } = tf.moments(randomTensor({ kind: 'normal', shape: [1000, 50], ...at }))
    expect(Math.abs((await mean.data())[0]!)).toBeLessThan(0.02)
    expect(Math.abs((await variance.data())[0]! - 1)).toBeLessThan(0.03)
    const mask = await randomTensor({ kind: 'dropoutMask', rate: 0.25, shape: [1000, 50], ...at }).data()
    expect(new Set(mask)).toEqual(new Set([0, Math.fround(4 / 3)]))
    expect(mask.filter((x) => x === 0).length / mask.length).toBeCloseTo(0.25, 2)
  })

  it('differs by seed, step and stream', async () => {
    const base = randomValues({ kind: 'uniform', shape: [2, 8], ...at })
    for (const other of [{ seed: 43 }, { step: 4 }, { stream: 2 }, { firstRow: 2 }])
      expect(await randomTensor({ kind: 'uniform', shape: [2, 8], ...at, ...other }).data()).not.toEqual(base)
  })
})
