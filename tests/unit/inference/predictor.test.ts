import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, expect, it } from 'vitest'
import { Dataset } from '../../../src/data/index.js'
import { Predictor } from '../../../src/inference/index.js'
import { saveBundle } from '../../../src/models/index.js'
import {
  concat,
  dropMissing,
  oneHot,
  Preprocessor,
  rename,
  select,
  standardize,
} from '../../../src/preprocess/index.js'
import { memory } from '../../../src/storage/index.js'

beforeAll(async () => {
  await tf.setBackend('cpu')
})

const makeModel = () =>
  tfl.sequential({
    layers: [
      tfl.layers.dense({ units: 4, inputShape: [2], activation: 'tanh' }),
      tfl.layers.dense({ units: 3, activation: 'softmax' }),
    ],
  })

const rows = [{ x: [1, 2] }, { x: [3, -4] }, { x: [0, 6] }]

it('predicts as the saved model did, from rows, columns and a tensor, in batches', async () => {
  const model = makeModel()
  const store = memory()
  await saveBundle(store, { model }, 'run/')
  const predictor = await Predictor.load(store, { prefix: 'run/', batchSize: 2 })
  const input = tf.tensor2d([1, 2, 3, -4, 0, 6], [3, 2])
  const expected = (model.predict(input) as tf.Tensor).dataSync()
  const before = tf.memory().numTensors
  const fromRows = await predictor.predict(rows)
  expect(fromRows.shape).toEqual([3, 3])
  expect(fromRows.data).toEqual(expected)
  expect((await predictor.predict({ x: { data: Float64Array.of(1, 2, 3, -4, 0, 6), shape: [3, 2] } })).data).toEqual(
    expected,
  )
  expect((await predictor.predict(input)).data).toEqual(expected)
  expect(tf.memory().numTensors).toBe(before)
  predictor.dispose()
  await expect(predictor.predict(rows)).rejects.toThrow(/after dispose/)
})

it('applies the saved preprocessing without a target', async () => {
  const train = Dataset.fromArrays({
    x: { data: Float32Array.of(1, 2, 3, -4, 0, 6), shape: [3, 2] },
    y: { data: Int32Array.of(0, 1, 2), shape: [3] },
  })
  const preprocessor = await new Preprocessor([standardize('x'), oneHot('y')]).fit(train)
  const model = makeModel()
  const store = memory()
  await saveBundle(store, { model, preprocessor: preprocessor.toJSON() })
  const predictor = await Predictor.load(store)
  const prepared = preprocessor.transformColumns(
    { x: { data: Float32Array.of(3, -4), shape: [1, 2] } },
    { only: ['x'] },
  )
  const expected = (model.predict(tf.tensor2d(prepared.x!.data as Float32Array, [1, 2])) as tf.Tensor).dataSync()
  expect((await predictor.predict([rows[1]!])).data).toEqual(expected)
})

it('gives one result per row, or names the row and the column without a value', async () => {
  const train = Dataset.fromRows([
    { a: 1, b: 2, label: 'no' },
    { a: Number.NaN, b: 3, label: 'yes' },
    { a: 5, b: 4, label: 'yes' },
  ])
  // Every step that touches the target, which is absent when predicting.
  const steps = [dropMissing(), rename({ label: 'y', a: 'c' }), standardize(['b', 'c']), oneHot('y')]
  const preprocessor = await new Preprocessor([...steps, concat(['b', 'c']), select(['x', 'y'])]).fit(train)
  expect((await preprocessor.transform(train).columns()).y!.shape).toEqual([2, 2])
  const model = makeModel()
  const predictor = new Predictor({ model, preprocessor })
  const predicted = await predictor.predict([
    { a: 1, b: 2 },
    { a: 5, b: 4 },
  ])
  const byHand = model.predict(tf.tensor2d([-1, -1, 1, 1], [2, 2])) as tf.Tensor
  expect(predicted.data).toEqual(byHand.dataSync())
  const gaps = [
    { a: 1, b: 2 },
    { a: 1, b: null },
  ]
  await expect(predictor.predict(gaps, { firstRow: 256 })).rejects.toMatchObject({
    code: 'DCML_DATA',
    message: expect.stringMatching(/Row 257 has no value in the column "b"/),
  })
})

it('explains with named classes, best first', async () => {
  const model = makeModel()
  const predictor = new Predictor({ model, classes: ['a', 'b', 'c'] })
  const { data } = await predictor.predict(rows)
  const explained = await predictor.explain(rows, { topK: 2 })
  explained.forEach((row, i) => {
    const own = Array.from(data.subarray(3 * i, 3 * i + 3))
    const best = own.indexOf(Math.max(...own))
    expect(row.class).toBe('abc'[best])
    expect(row.probability).toBe(own[best])
    expect(row.topK.map(({ probability }) => probability)).toEqual(own.sort((p, q) => q - p).slice(0, 2))
  })
})

it('names classes by what the preprocessor encoded, where it did', async () => {
  const train = Dataset.fromRows(['pear', 'apple', 'plum'].map((label, i) => ({ x: [i, 1], label })))
  const preprocessor = await new Preprocessor([rename({ label: 'y' }), oneHot('y')]).fit(train)
  const predictor = new Predictor({ model: makeModel(), preprocessor })
  expect(predictor.classes).toEqual(['apple', 'pear', 'plum'])
  const { data } = await predictor.predict([rows[0]!])
  const best = data.indexOf(Math.max(...data))
  expect((await predictor.explain([rows[0]!]))[0]!.class).toBe(['apple', 'pear', 'plum'][best])
  const standardized = await new Preprocessor([standardize('x')]).fit(train)
  expect(new Predictor({ model: makeModel(), preprocessor: standardized }).classes).toBeUndefined()
})

it('says what is wrong', async () => {
  const linear = tfl.sequential({ layers: [tfl.layers.dense({ units: 1, inputShape: [2] })] })
  await expect(new Predictor({ model: linear }).explain(rows)).rejects.toThrow(/no probabilities of classes/)
  await expect(new Predictor({ model: linear }).predict([{ z: [1, 2] }])).rejects.toThrow(/needs the column 'x'/)
  await expect(Predictor.load(memory())).rejects.toMatchObject({ code: 'DCML_STORAGE' })
})
