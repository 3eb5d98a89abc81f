import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { Dataset } from '../../../src/data/index.js'
import { type ClassPrediction, Predictor, type ValuePrediction } from '../../../src/inference/index.js'
import { saveBundle } from '../../../src/models/index.js'
import { sgd } from '../../../src/optimizers/index.js'
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
import { Trainer } from '../../../src/training/index.js'

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

/** Rows as the model reads them. */
const inputOf = (given: readonly { x: number[] }[]) => ({
  x: { data: Float32Array.from(given.flatMap(({ x }) => x)), shape: [given.length, 2] },
})

it('predicts as the saved model did, from rows, columns and a tensor, in batches', async () => {
  const model = makeModel()
  const store = memory()
  await saveBundle(store, { model }, 'run/')
  const predictor = await Predictor.load(store, { prefix: 'run/', batchSize: 2 })
  const input = tf.tensor2d([1, 2, 3, -4, 0, 6], [3, 2])
  const expected = (model.predict(input) as tf.Tensor).dataSync()
  const before = tf.memory().numTensors
  const fromRows = (await predictor.explain(rows, { topK: 3 })).map(({ topK }) =>
    topK.sort((a, b) => Number(a.class) - Number(b.class)).map(({ probability }) => probability),
  )
  expect(fromRows.flat()).toEqual(Array.from(expected))
  expect((await predictor.predict(input)).shape).toEqual([3, 3])
  expect((await predictor.predict({ x: { data: Float64Array.of(1, 2, 3, -4, 0, 6), shape: [3, 2] } })).data).toEqual(
    expected,
  )
  expect((await predictor.predict(input)).data).toEqual(expected)
  expect(tf.memory().numTensors).toBe(before)
  predictor.dispose()
  await expect(predictor.predict(rows)).rejects.toThrow(/after dispose/)
})

it('answers rows with large ids as the model was trained on them', async () => {
  const ids = [1234567890, 1234567891, 1234567892, 16777217, 16777216]
  const train = Dataset.fromArrays({
    x: { data: Float64Array.from(ids), shape: [ids.length] },
    y: { data: Float32Array.of(1, 2, 3, 4, 5), shape: [ids.length] },
  })
  const model = tfl.sequential({ layers: [tfl.layers.dense({ units: 1, inputShape: [ids.length], useBias: false })] })
  const preprocessor = new Preprocessor([oneHot('x')])
  const trainer = new Trainer({ model, loss: 'meanSquaredError', optimizer: sgd({ learningRate: 0.5 }), preprocessor })
  // Each weight is that of one id: half of the way to its target, in a batch of its own.
  await trainer.fit(train, { epochs: 20, batchSize: 1 })
  const store = memory()
  await trainer.save(store)
  const predictor = await Predictor.load<{ x: number }, ValuePrediction>(store)
  const answers = await predictor.predict(ids.map((x) => ({ x })))
  answers.forEach(({ value }, i) => {
    expect(value).toBeCloseTo(i + 1, 3)
  })
  const streamed: number[] = []
  for await (const { value } of predictor.stream(ids.map((x) => ({ x })))) streamed.push(value)
  expect(streamed).toEqual(answers.map(({ value }) => value))
  predictor.dispose()
  await trainer.close()
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
  const [answer] = await predictor.explain([rows[1]!])
  expect([answer!.class, answer!.probability]).toEqual([
    String(expected.indexOf(answer!.probability)),
    Math.max(...expected),
  ])
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
  const predicted = await predictor.predict({
    a: { data: Float32Array.of(1, 5), shape: [2] },
    b: { data: Float32Array.of(2, 4), shape: [2] },
  })
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
  const { data } = await predictor.predict(inputOf(rows))
  const explained = await predictor.explain(rows, { topK: 2 })
  expect(await predictor.predict(rows, { topK: 2 })).toEqual(explained)
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
  const { data } = await predictor.predict(inputOf([rows[0]!]))
  const best = data.indexOf(Math.max(...data))
  expect((await predictor.explain([rows[0]!]))[0]!.class).toBe(['apple', 'pear', 'plum'][best])
  const standardized = await new Preprocessor([standardize('x')]).fit(train)
  expect(new Predictor({ model: makeModel(), preprocessor: standardized }).classes).toBeUndefined()
})

it('gives values in the unit of the target', async () => {
  const train = Dataset.fromRows([1, 2, 3].map((a) => ({ a, salary: 1000 * a })))
  const steps = [rename({ salary: 'y', a: 'x' }), standardize(['x', 'y'])]
  const preprocessor = await new Preprocessor(steps).fit(train)
  const model = tfl.sequential({ layers: [tfl.layers.dense({ units: 1, inputShape: [1], kernelInitializer: 'ones' })] })
  const predictor = new Predictor<{ a: number }, ValuePrediction>({ model, preprocessor })
  const predicted = await predictor.predict([{ a: 1 }, { a: 2.5 }])
  expect(predicted.map(({ value }) => value)).toEqual([expect.closeTo(1000, 2), expect.closeTo(2500, 2)])
  const wide = tfl.sequential({ layers: [tfl.layers.dense({ units: 2, inputShape: [2], kernelInitializer: 'ones' })] })
  expect(await new Predictor({ model: wide }).predict([rows[0]!])).toEqual([{ value: [3, 3] }])
})

it('answers any number of rows, none too', async () => {
  const predictor = new Predictor({ model: makeModel(), batchSize: 4 })
  for (const count of [0, 1, 4, 9]) {
    const some = Array.from({ length: count }, (_, i) => rows[i % 3]!)
    expect(await predictor.predict(some)).toHaveLength(count)
    expect(await predictor.explain(some)).toHaveLength(count)
  }
})

describe('stream', () => {
  it('answers in order, as predict does, and reads no further than its batch', async () => {
    const predictor = new Predictor<{ x: number[] }, ClassPrediction>({ model: makeModel() })
    const many = Array.from({ length: 11 }, (_, i) => ({ x: [i, 5 - i] }))
    let read = 0
    async function* source() {
      for (const row of many) {
        read++
        yield row
      }
    }
    const answers: ClassPrediction[] = []
    for await (const answer of predictor.stream(source(), { batchSize: 4, topK: 1 })) {
      answers.push(answer)
      expect(read).toBe(Math.min(11, 4 * Math.ceil(answers.length / 4)))
    }
    expect(answers).toEqual(await predictor.predict(many, { topK: 1 }))
    const fromDataset = predictor.stream(Dataset.fromRows(many), { batchSize: 4, topK: 1 })
    for (const answer of answers) expect((await fromDataset.next()).value).toEqual(answer)
  })

  it('lets go of its source when its reader stops', async () => {
    let ended = false
    function* source() {
      try {
        for (;;) yield rows[0]!
      } finally {
        ended = true
      }
    }
    for await (const answer of new Predictor({ model: makeModel() }).stream(source(), { batchSize: 2 })) {
      expect(answer).toHaveProperty('class')
      break
    }
    expect(ended).toBe(true)
  })

  it('names the row that cannot be answered, after the answers before its batch', async () => {
    const predictor = new Predictor({ model: makeModel() })
    const bad = [...rows, ...rows, { x: [1, null] }, ...rows]
    let answers = 0
    const read = async () => {
      for await (const _ of predictor.stream(bad, { batchSize: 2 })) answers++
    }
    await expect(read()).rejects.toMatchObject({
      code: 'DCML_DATA',
      message: expect.stringMatching(/Row 6 has no number in 'x\[1\]'.*impute/),
    })
    expect(answers).toBe(6)
  })
})

describe('calls at the same time', () => {
  it('are run together where they can, each with its own answer', async () => {
    const model = makeModel()
    const runs: number[] = []
    const apply = model.apply.bind(model)
    model.apply = (inputs, options) => {
      runs.push((inputs as tf.Tensor).shape[0]!)
      return apply(inputs, options)
    }
    const predictor = new Predictor({ model, batchSize: 8 })
    const alone: unknown[] = []
    for (let i = 0; i < 12; i++) alone.push(await predictor.predict([{ x: [i, 1] }]))
    runs.length = 0
    const calls = Array.from({ length: 12 }, (_, i) => predictor.predict([{ x: [i, 1] }]))
    expect(await Promise.all(calls)).toEqual(alone)
    expect(runs).toEqual([8, 4])
  })

  it('fail alone, and do not hold up the others', async () => {
    const predictor = new Predictor({ model: makeModel() })
    const calls = await Promise.allSettled([
      predictor.predict([rows[0]!]),
      predictor.predict([{ x: [1, 2, 3] }]),
      predictor.predict([{ z: 1 }]),
      predictor.predict([{ x: [Number.NaN, 1] }]),
      predictor.predict([rows[1]!]),
    ])
    expect(calls.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected', 'fulfilled'])
  })

  it('are rejected when the predictor is disposed', async () => {
    const predictor = new Predictor({ model: makeModel() })
    const calls = [predictor.predict(rows), predictor.predict(rows)]
    predictor.dispose()
    for (const call of await Promise.allSettled(calls))
      expect(call).toMatchObject({ status: 'rejected', reason: { code: 'DCML_STATE' } })
  })

  it('are rejected too where they wait to find reasons', async () => {
    const predictor = new Predictor({ model: makeModel() })
    const [first, ...others] = Array.from({ length: 4 }, () => predictor.explain(rows, { attribution: { steps: 4 } }))
    const settled = Promise.allSettled(others)
    await first
    predictor.dispose()
    expect((await settled).at(-1)).toMatchObject({ status: 'rejected', reason: { code: 'DCML_STATE' } })
  })

  it('give nothing for no rows, in whatever form', async () => {
    const predictor = new Predictor({ model: makeModel() })
    const none = { x: { data: new Float32Array(0), shape: [0, 2] } }
    expect((await predictor.predict(none)).shape[0]).toBe(0)
    for (const input of [[], none]) {
      expect(await predictor.explain(input)).toEqual([])
      expect(await predictor.explain(input, { attribution: true })).toEqual([])
    }
  })
})

describe('what is wrong', () => {
  const linear = () => tfl.sequential({ layers: [tfl.layers.dense({ units: 1, inputShape: [2] })] })
  const diverged = () => {
    const model = linear()
    model.setWeights([tf.tensor2d([Number.NaN, 1], [2, 1]), tf.tensor1d([0])])
    return new Predictor({ model })
  }
  const twoOutputs = () => {
    const input = tfl.input({ shape: [2] })
    const outputs = [0, 1].map(() => tfl.layers.dense({ units: 1 }).apply(input) as tfl.SymbolicTensor)
    return tfl.model({ inputs: input, outputs })
  }

  it.each([
    [
      'probabilities of a model of values',
      (p: Predictor) => p.explain(rows),
      /no probabilities of classes.*predict\(\)/,
    ],
    ['another column', (p: Predictor) => p.predict([{ z: [1, 2] }]), /needs the column 'x'.*the columns z/],
    ['too many values', (p: Predictor) => p.predict([{ x: [1, 2, 3] }]), /do not fit.*\[2\].*\[3\]/],
    ['text', (p: Predictor) => p.predict([{ x: ['a', 'b'] }]), /holds strings.*Encode/],
    ['NaN', (p: Predictor) => p.predict([rows[0]!, { x: [1, Number.NaN] }]), /Row 1 has no number in 'x\[1\]'/],
    [
      'rows of unequal length',
      (p: Predictor) => p.predict([rows[0]!, { x: [1] }]),
      /Row 1, column "x": the value does not fit/,
    ],
    ['no object', (p: Predictor) => p.predict([7 as unknown as object]), /Row 0: this is no object/],
    ['nothing', (p: Predictor) => p.predict(undefined as unknown as object[]), /nothing to predict on/],
    ['a row without a list', (p: Predictor) => p.predict({ x: 1 } as never), /Put a single row into a list: \[row\]/],
    ['columns without a shape', (p: Predictor) => p.predict({ x: {} } as never), /holds no array/],
    ['topK of 0', (p: Predictor) => p.predict(rows, { topK: 0 }), /topK is out of range/],
    ['a stream of what has no rows', (p: Predictor) => p.stream({} as never).next(), /A stream needs rows.*iterable/],
    ['no steps', (p: Predictor) => p.explain(rows, { attribution: { steps: 0 } }), /steps of an attribution/],
    ['no such value', (p: Predictor) => p.explain(rows, { attribution: { of: 1 } }), /no '1' to explain.*0 to 0/],
    ['a model that gives NaN', () => diverged().predict(rows), /gives NaN for row 0.*diverged/],
    ['an empty store', () => Predictor.load(memory()), /dcml\.json/],
    ['a path for a store', () => Predictor.load('run' as never), /loaded from is no store.*directory\('run'\)/],
    ['two outputs', async () => new Predictor({ model: twoOutputs() }), /one output.*2 outputs/],
    ['batches of 0', async () => new Predictor({ model: linear(), batchSize: 0 }), /batch size of a predictor/],
  ] as [string, (p: Predictor) => Promise<unknown>, RegExp][])('%s', async (_, use, message) => {
    await expect(use(new Predictor({ model: linear() }))).rejects.toThrow(message)
  })
})
